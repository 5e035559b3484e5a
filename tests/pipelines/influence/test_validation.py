import numpy as np
import pytest

from terrarium.influence.data.checkpoints import Training
from terrarium.influence.scoring.streaming import World
from terrarium.influence.validation.retraining import Retrainer, values
from terrarium.influence.validation.studies import _correlations, _found, with_wrong_triples
from terrarium.influence.validation.variants import GUESSES, variants, varied
from terrarium.kge.data.graph import TEST, TRAIN
from terrarium.pipelines.influence.validation_nodes import summarise
from tests.kge.graphs import options, random_graph

from .test_streaming import influence_options, matrix


@pytest.fixture(scope="module")
def retrainer():
    chosen = options(
        model__name="complex", model__dim=8, training__optimizer__name="adagrad", training__optimizer__learning_rate=0.1
    )
    graph = random_graph(entities=14, relations=3, sizes=(60, 5, 6))
    return Retrainer(graph, Training(chosen.model, chosen.training), chosen.evaluation, 3)


def test_retraining_depends_on_the_seed_and_the_triples_alone(retrainer):
    train, test = retrainer.graph.splits[TRAIN], retrainer.graph.splits[TEST]
    first, again, other = (values(retrainer.train(train, seed)[0], test, retrainer.training) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)
    assert not np.allclose(first, values(retrainer.train(train[5:], 0)[0], test, retrainer.training))
    _, kept = retrainer.train(train, 0, retrainer.kept(2))
    assert [snapshot.epoch for snapshot in kept] == [2, 3]
    assert kept[0].rate == pytest.approx(0.05)


def test_what_is_reached_is_a_log_probability(retrainer):
    scorer, _ = retrainer.train(retrainer.graph.splits[TRAIN], 0)
    every = np.array([[2, 1, tail] for tail in range(14)])
    tails_alone = Training(
        retrainer.training.model.model_copy(update={"inverse_relations": False}), retrainer.training.training
    )
    assert np.exp(values(scorer, every, tails_alone)).sum() == pytest.approx(1, rel=1e-5)


def test_variants_differ_and_none_keeps_the_state_of_another(retrainer):
    chosen = influence_options()
    graph, tests = retrainer.graph, retrainer.graph.splits[TEST]
    _, kept = retrainer.train(graph.splits[TRAIN], 0, retrainer.kept(2))
    shared = (retrainer.training, graph, tests, chosen.features, chosen.evaluation)
    configured = matrix(World.of(kept, retrainer.training, graph, chosen.features, chosen.evaluation), tests)
    found = {name: varied(variant, kept, *shared) for name, variant in variants("complex").items()}
    assert np.array_equal(found["as configured"], configured)
    assert np.array_equal(found["optimiser's weights, factored"], configured)
    plain = found["plain gradients"]
    assert np.array_equal(found["unit share"], plain)
    for name in ("unit row", "last checkpoint", "optimiser's weights", "cosine", "projected to 1,024"):
        assert not np.allclose(found[name], plain, rtol=1e-3), name
    assert set(variants("conve")["last checkpoint, last layer"].changes["layers"]) == {"encoder.projection.weight"}


def test_guesses_put_first_what_they_say():
    graph = random_graph(entities=14, relations=3, sizes=(60, 5, 6))
    train, tests = graph.splits[TRAIN], graph.splits[TEST]
    rng = np.random.default_rng(0)
    first = {name: train[np.argmax(guess(graph, tests, rng), axis=0)] for name, guess in GUESSES.items()}
    assert (first["same relation"][:, 1] == tests[:, 1]).all()
    assert all(
        {a[0], a[2]} & {b[0], b[2]} for a, b in zip(first["shared entity"].tolist(), tests.tolist(), strict=True)
    )


def test_correlations_take_off_what_the_seed_alone_does():
    rng = np.random.default_rng(0)
    predicted = rng.normal(size=(40, 3))
    seeds = [i % 2 for i in range(40)]
    reached = predicted + 100 * np.array(seeds)[:, None]
    assert _correlations(predicted, reached, seeds).min() > 0.9
    assert (_correlations(np.ones((40, 3)), reached, seeds) == 0).all()


def test_there_is_no_correlation_with_what_never_changes():
    predicted = np.random.default_rng(0).normal(size=(4, 2))
    reached = predicted * [1, 0] + [0, 3]
    found = _correlations(predicted, reached, [0] * 4)
    assert found[0] == 1
    assert np.isnan(found[1])
    assert np.isnan(_correlations(predicted, predicted, [0, 1, 2, 3])).all()
    assert np.isnan(_correlations(predicted, np.full((4, 2), np.nan), [0] * 4)).all()


def test_planted_triples_are_new_and_found_when_they_stand_out():
    graph = random_graph(entities=14, relations=3, sizes=(60, 5, 6))
    wrong, mark = with_wrong_triples(graph, 0.1, 0)
    assert mark.sum() == 6
    known = {tuple(triple) for triple in graph.known_triples.tolist()}
    assert not known & {tuple(triple) for triple in wrong.splits[TRAIN][mark].tolist()}
    assert _found(mark.astype(float), mark) == {"precision": 1.0, "auc": 1.0}


def test_the_summary_names_every_number():
    import pandas as pd

    models = pd.DataFrame({"method": ["optimiser's weights, last"] * 2, "lds": [0.1, 0.3]})
    removed = pd.DataFrame({"method": ["random"], "removed": [5], "drop": [0.5]})
    found = pd.DataFrame({"method": ["loss"], "precision": [0.5], "auc": [0.7]})
    assert summarise(models, removed, found) == pytest.approx(
        {
            "lds_optimiser_weights_last": 0.2,
            "deletion_random_5": 0.5,
            "wrong_loss_precision": 0.5,
            "wrong_loss_auc": 0.7,
        }
    )
