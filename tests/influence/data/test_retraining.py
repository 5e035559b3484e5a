from dataclasses import replace

import numpy as np
import pytest

from terrarium.influence.data.checkpoints import TrainingRun
from terrarium.influence.data.retraining import add_trainings
from terrarium.influence.scoring.context import InfluenceContext
from terrarium.influence.scoring.streaming import influence_matrix
from terrarium.kge.data.graph import TEST, TRAIN
from tests.influence.contexts import influence_options, small_graph


def test_retraining_depends_on_the_seed_and_the_triples_alone(retrainer):
    train, test = retrainer.graph.splits[TRAIN], retrainer.graph.splits[TEST]

    def retrain(triples, seed):
        return retrainer.log_probabilities(retrainer.train(triples, seed).scorer, test)

    first = retrain(train, 0)
    assert np.array_equal(first, retrain(train, 0))
    assert not np.allclose(first, retrain(train, 1))
    assert not np.allclose(first, retrain(train[5:], 0))
    snapshots = retrainer.train(train, 0, retrainer.spaced_epochs(2)).snapshots
    assert [snapshot.epoch for snapshot in snapshots] == [2, 3]
    assert snapshots[0].learning_rate == pytest.approx(0.05)


def test_probabilities_of_all_tails_sum_to_one(retrainer):
    scorer = retrainer.train(retrainer.graph.splits[TRAIN], 0).scorer
    every = np.array([[2, 1, tail] for tail in range(14)])
    model = retrainer.training.model.model_copy(update={"inverse_relations": False})
    tails_only = replace(retrainer, training=TrainingRun(model, retrainer.training.training))
    assert np.exp(tails_only.log_probabilities(scorer, every)).sum() == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("encoder", ["lookup", "ancestors_and_words"])
def test_influence_over_several_trainings_is_the_mean_of_theirs(retrainer, encoder):
    model = retrainer.training.model.model_copy(update={"entity_encoder": encoder})
    retrainer = replace(retrainer, graph=small_graph(), training=replace(retrainer.training, model=model))
    epochs = retrainer.spaced_epochs(2)
    train, seed = retrainer.graph.splits[TRAIN], retrainer.training.training.seed
    each = [retrainer.train(train, seed + number, epochs).snapshots for number in range(3)]
    chosen = influence_options(attribution__hessian="none")

    def influence(snapshots):
        context = InfluenceContext.of(
            snapshots, retrainer.training, retrainer.graph, chosen.attribution, chosen.scoring
        )
        return influence_matrix(context, retrainer.graph.splits[TEST]), context.num_trainings

    mean, count = influence(add_trainings(each[0], retrainer, 3))
    assert count == 3
    assert np.allclose(mean, np.mean([influence(snapshots)[0] for snapshots in each], axis=0), atol=1e-6)
