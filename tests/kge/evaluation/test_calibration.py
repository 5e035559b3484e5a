import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from terrarium.kge.evaluation.calibration import Calibration, Platt, calibrate, log_softmax_of_candidates
from terrarium.kge.models.scorer import build_scorer
from tests.kge.graphs import graph, options, random_graph


@given(st.integers(0, 2**32 - 1))
def test_probabilities_of_the_candidates_sum_to_one(seed):
    rng = np.random.default_rng(seed)
    scores, candidates = torch.from_numpy(rng.normal(size=(3, 8))), rng.random(8) < 0.7
    candidates[0] = True
    p = np.exp(log_softmax_of_candidates(scores, candidates))
    assert p[:, candidates].sum(1) == pytest.approx(np.ones(3))


def test_a_random_model_gets_the_base_rate():
    """What does not tell right from wrong answers gives every candidate nearly the same probability."""
    given_graph, chosen = random_graph(sizes=(150, 60, 60)), options(model__name="complex")
    scorer = build_scorer(chosen.model, 30, 4).eval()
    metrics, bins = calibrate(given_graph, scorer, chosen.evaluation)
    for side in ("head", "tail"):
        assert metrics[f"{side}_brier"] == pytest.approx(metrics[f"{side}_brier_of_base_rate"], rel=0.1)
        own = bins[bins["side"] == side]
        rate = np.average(own["observed"], weights=own["answers"])
        assert np.average(own["predicted"], weights=own["answers"]) == pytest.approx(rate, abs=0.02)


def test_a_model_that_knows_the_answers_is_certain_of_them():
    """Scores of 20 for right answers and 0 for others: probabilities near 1 and 0."""
    made, chosen = graph(), options(model__name="distmult", model__entity_bias=False)
    size = made.num_entities
    model = chosen.model.model_copy(update={"dim": size})
    scorer = build_scorer(model, size, made.num_relations).eval()
    adjacency = torch.zeros(2 * made.num_relations, size, size)
    for name in ("validation", "test"):
        head, relation, tail = torch.from_numpy(made.splits[name].copy()).T
        adjacency[relation, head, tail] = adjacency[relation + made.num_relations, tail, head] = 20.0
    scorer.entity.weight.data = torch.eye(size)
    scorer.encoder.forward = lambda entity, relation: adjacency[
        _row_of(relation, scorer.relation.weight), entity.argmax(1)
    ]
    metrics, bins = calibrate(made, scorer, chosen.evaluation)
    assert metrics["tail_brier"] < 0.1 * metrics["tail_brier_of_base_rate"]
    assert set(bins["side"]) == {"head", "tail"}
    assert Calibration.from_metrics(metrics).tail.probability(np.array([-0.1])) > 0.9


def _row_of(vectors, table):
    return (vectors[:, None] == table[None]).all(2).float().argmax(1)


def test_without_validation_triples_probabilities_are_those_of_the_softmax():
    made = random_graph(sizes=(150, 0, 25))
    scorer = build_scorer(options(model__name="complex").model, 30, 4).eval()
    metrics, _ = calibrate(made, scorer, options().evaluation)
    platt = Calibration.from_metrics(metrics).tail
    assert platt == Platt(1.0, 0.0)
    assert platt.probability(np.log(np.array([0.5]))) == pytest.approx(1 / 3)
