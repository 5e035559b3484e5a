import pytest

from terrarium.kge.training.defaults import (
    LARGEST_N3_WEIGHT,
    default_n3_weight,
    fill_dim,
    fill_train_type,
    limit_epochs,
)
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


@pytest.mark.parametrize(
    ("encoder", "dim", "expected"), [("ancestors", None, 64), ("lookup", None, 200), ("ancestors", 12, 12)]
)
def test_sums_over_ancestors_take_a_smaller_dimension(encoder, dim, expected):
    model = options().model.model_copy(update={"entity_encoder": encoder, "dim": dim})
    assert fill_dim(random_graph(), model).dim == expected


def test_a_large_graph_gets_fewer_epochs_and_at_least_one():
    graph = random_graph(entities=30, sizes=(100, 20, 25))
    training = options().training.model_copy(update={"max_epochs": 50, "max_scores": 200 * 30 * 7.5})
    assert limit_epochs(graph, training, rows=200).max_epochs == 7
    assert limit_epochs(graph, training, rows=10).max_epochs == 50
    assert limit_epochs(graph, training, rows=10**9).max_epochs == 1
    unlimited = training.model_copy(update={"max_scores": None})
    assert limit_epochs(graph, unlimited, rows=10**9) is unlimited
