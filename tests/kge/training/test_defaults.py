import pytest

from terrarium.kge.training.defaults import LARGEST_N3_WEIGHT, default_n3_weight, fill_train_type
from tests.kge.graphs import options, random_graph


def test_the_weight_is_one_over_the_mean_degree_up_to_a_limit():
    dense = random_graph(entities=30, sizes=(300, 20, 25))
    assert default_n3_weight(dense) == pytest.approx(30 / 600)
    assert default_n3_weight(random_graph(entities=200, sizes=(150, 20, 25))) == LARGEST_N3_WEIGHT


def test_only_what_is_null_is_filled(monkeypatch):
    graph, training = random_graph(), options().training
    assert fill_train_type(graph, training) is training
    null = training.model_copy(update={"train_type": None})
    assert fill_train_type(graph, null).train_type == "1vsAll"
    monkeypatch.setattr("terrarium.kge.training.defaults.SMALL_GRAPH", 10)
    assert fill_train_type(graph, null).train_type == "KvsAll"
