from dataclasses import replace

import numpy as np
import pytest

from terrarium.kge.data.graph import Graph
from terrarium.kge.training.defaults import (
    LARGEST_N3_WEIGHT,
    default_n3_weight,
    fill_dim,
    fill_training,
    limit_epochs,
)
from tests.kge.graphs import options, random_graph


def test_the_weight_is_one_over_the_mean_degree_up_to_a_limit():
    dense = random_graph(entities=30, sizes=(300, 20, 25))
    assert default_n3_weight(dense) == pytest.approx(30 / 600)
    assert default_n3_weight(random_graph(entities=200, sizes=(150, 20, 25))) == LARGEST_N3_WEIGHT


def test_only_what_is_null_is_filled(monkeypatch):
    graph, training = random_graph(), options().training
    chosen = {"train_type": "1vsAll", "batch_size": 7, "num_negatives": 3}
    stopping = training.stopping.model_copy(update={"metric": "validation_head_mrr"})
    given = training.model_copy(update={**chosen, "stopping": stopping})
    assert fill_training(graph, given) is given
    null = given.model_copy(update=dict.fromkeys(chosen))
    for limit, expected in ((1e8, ("1vsAll", 128, 0)), (10, ("KvsAll", 512, 2048))):
        monkeypatch.setattr("terrarium.kge.training.defaults.SMALL_GRAPH", limit)
        filled = fill_training(graph, null)
        assert (filled.train_type, filled.batch_size, filled.num_negatives) == expected


def test_tails_are_watched_where_all_triples_of_a_head_are_held_out():
    def graph(validation):
        splits = {"train": np.array([[0, 0, 1], [1, 1, 2]]), "validation": np.array(validation).reshape(-1, 3)}
        return Graph(3, 2, splits)

    auto = options(training__stopping__metric="auto").training
    for validation, metric in (
        ([[1, 0, 2], [2, 1, 0]], "validation_tail_mrr"),
        ([[1, 0, 2], [0, 0, 2]], "validation_mrr"),
        ([], "validation_mrr"),
    ):
        assert fill_training(graph(validation), auto).stopping.metric == metric


@pytest.mark.parametrize(
    ("changes", "entities", "expected"),
    [
        ({"entity_encoder": "ancestors"}, 20, 64),
        ({"name": "complex"}, 20, 800),
        ({"name": "distmult"}, 2_000, 512),
        ({"name": "complex"}, 2_000_000, 200),
        ({"name": "conve"}, 20, 200),
        ({"name": "complex", "entity_encoder": "ancestors", "dim": 12}, 20, 12),
    ],
)
def test_the_dimension_is_as_large_as_the_graph_makes_cheap(changes, entities, expected):
    model = options().model.model_copy(update={"entity_encoder": "lookup", "dim": None} | changes)
    graph = random_graph(entities=20, sizes=(100, 5, 5))
    assert fill_dim(replace(graph, num_entities=entities), model).dim == expected


def test_a_large_graph_gets_fewer_epochs_and_at_least_one():
    graph = random_graph(entities=30, sizes=(100, 20, 25))
    validation = options().training.validation.model_copy(update={"max_triples": 0, "interval": 1})
    changes = {"max_epochs": 50, "max_scores": (200 * 30 + 2 * 20 * 30) * 7.5, "validation": validation}
    training = options().training.model_copy(update=changes)
    assert limit_epochs(graph, training, rows=200).max_epochs == 7
    assert limit_epochs(graph, training.model_copy(update={"max_epochs": 5}), rows=200).max_epochs == 5
    sampled = training.model_copy(update={"num_negatives": 15})
    assert limit_epochs(graph, sampled, rows=200).max_epochs == 12
    assert limit_epochs(graph, training, rows=10**9).max_epochs == 1
    unlimited = training.model_copy(update={"max_scores": None})
    assert limit_epochs(graph, unlimited, rows=10**9) is unlimited
