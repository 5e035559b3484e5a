"""Influence compared with retraining, on a graph whose query triples depend on one training triple each."""

from dataclasses import replace

import numpy as np
import pytest

from terrarium.influence.data.checkpoints import TrainingRun
from terrarium.influence.data.retraining import Retrainer, Retraining, retrain_without
from terrarium.influence.validation.studies import (
    OTHER_SEEDS,
    add_mislabelled,
    delete_proponents,
    detect_mislabelled,
    detection_metrics,
    held_out_losses,
    query_correlations,
    score_datamodels,
)
from terrarium.influence.validation.study import Study
from terrarium.kge.data.graph import TEST, TRAIN, Graph
from tests.influence.contexts import influence_options
from tests.kge.graphs import options, random_graph

PAIRS, QUERIES = 12, 4


@pytest.fixture(scope="module")
def study():
    """Two relations hold of the same pairs; of the query pairs the first alone is in training and names the tail."""
    one = np.stack([np.arange(PAIRS), np.zeros(PAIRS, int), np.arange(PAIRS) + PAIRS], axis=1)
    two = one + np.array([0, 1, 0])
    none = one[:0]
    parts = {TRAIN: np.concatenate([one, two[QUERIES:]]), "validation": none, TEST: two[:QUERIES], "test_groups": none}
    chosen = options(
        **{"model__name": "complex", "model__dim": 16, "model__input_dropout": 0.0, "model__output_dropout": 0.0},
        **{
            "training__optimizer__name": "adagrad",
            "training__optimizer__learning_rate": 0.3,
            "training__batch_size": 16,
        },
    )
    training = TrainingRun(chosen.model, chosen.training)
    retrainer = Retrainer(Graph(2 * PAIRS, 2, parts), training, chosen.evaluation, 15)
    own = influence_options(
        validation__num_subsets=12,
        validation__removal_sizes=[1],
        validation__num_checkpoints=3,
        validation__label_noise=0.2,
    )
    return Study(retrainer, own.validation, own.attribution, own.scoring)


def test_retraining_without_the_proponent_fails(study):
    table = delete_proponents(study, study.retrainer.graph.splits[TEST][:1])
    drops = table.set_index("method")["drop"]
    assert drops["influence"] > drops["random"] + 0.5
    assert drops["influence"] > 0.5


def test_influence_predicts_retraining(study):
    table = score_datamodels(study, study.retrainer.graph.splits[TEST]).set_index("method")
    assert table["lds"]["as configured"] > 0.3
    assert table["lds"]["as configured"] > table["lds"]["random"]


def test_mislabelled_triples_are_detected_above_chance(study):
    """Every triple except the mislabelled ones has its pair under the other relation."""
    graph = study.retrainer.graph
    every = np.concatenate([graph.splits[TRAIN], graph.splits[TEST]])
    supported = replace(study.retrainer, graph=Graph(graph.num_entities, 2, {**graph.splits, TRAIN: every}))
    table = detect_mislabelled(replace(study, retrainer=supported)).set_index("method")
    assert table["mislabelled"].eq(5).all()
    assert table["auc"]["self-influence"] > 0.7
    assert table["auc"]["held-out loss"] > 0.7
    assert table["precision"]["self-influence"] > 5 / 29


def test_a_held_out_loss_is_that_of_a_training_without_the_triple(study):
    retrainer = study.retrainer
    train = retrainer.graph.splits[TRAIN]
    every = held_out_losses(retrainer, 0, folds=len(train))
    alone = [-retrain_without(retrainer, Retraining(np.array([row]), 0, train[[row]]))[0] for row in (0, 5)]
    assert every[[0, 5]] == pytest.approx(alone)
    assert (every > -retrainer.log_probabilities(retrainer.train(train, 0).scorer, train)).mean() > 0.9


def test_influence_is_also_averaged_over_the_trainings_of_all_seeds(study):
    both = replace(study, validation=study.validation.model_copy(update={"seeds": [0, 1]}))
    table = score_datamodels(both, study.retrainer.graph.splits[TEST])
    own = table[table["method"] == "as configured"]["lds"]
    (mean,) = table[table["method"] == "as configured, mean of 2 trainings"]["lds"]
    assert len(own) == 2
    assert mean > own.min()
    assert table[table["method"] == OTHER_SEEDS]["lds"].between(0, 1).all()


def test_a_retraining_is_compared_with_those_of_other_seeds_on_the_same_subset(study, monkeypatch):
    def retrain(retrainer, retraining):
        return len(retraining.removed) + retraining.seed + 0.1 * np.arange(len(retraining.queries))

    monkeypatch.setattr("terrarium.influence.validation.studies.retrain_without", retrain)
    both = replace(study, validation=study.validation.model_copy(update={"seeds": [0, 5]}))
    table = score_datamodels(both, study.retrainer.graph.splits[TEST])
    assert table[table["method"] == OTHER_SEEDS]["lds"].to_numpy() == pytest.approx([1, 1])


def test_the_same_order_is_a_correlation_of_one_and_a_constant_prediction_of_zero():
    predicted = np.random.default_rng(0).normal(size=(40, 3))
    assert query_correlations(predicted, np.exp(predicted)) == pytest.approx(1)
    assert (query_correlations(np.ones((40, 3)), predicted) == 0).all()


def test_there_is_no_correlation_with_what_never_changes():
    predicted = np.random.default_rng(0).normal(size=(4, 2))
    retrained = predicted * [1, 0] + [0, 3]
    correlations = query_correlations(predicted, retrained)
    assert correlations[0] == pytest.approx(1)
    assert np.isnan(correlations[1])
    assert np.isnan(query_correlations(predicted, np.full((4, 2), np.nan))).all()


def test_mislabelled_triples_are_new_and_detected_when_they_have_the_highest_values():
    graph = random_graph(entities=14, relations=3, sizes=(60, 5, 6))
    noisy, mask = add_mislabelled(graph, 0.1, 0)
    assert mask.sum() == 6
    known = {tuple(triple) for triple in graph.known_triples.tolist()}
    assert not known & {tuple(triple) for triple in noisy.splits[TRAIN][mask].tolist()}
    assert detection_metrics(mask.astype(float), mask) == {"precision": 1.0, "auc": 1.0}
