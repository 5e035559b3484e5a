import numpy as np
import pytest
import torch

from terrarium.kge.models.scorer import build_scorer
from terrarium.kge.training.collapse import is_collapsed, prediction_entropy
from tests.kge.graphs import options

QUERIES = np.array([0, 1, 2]), np.array([0, 1, 0])


def scorer(scale):
    """A random scorer with embeddings of a scale."""
    made = build_scorer(options(model__name="distmult", model__entity_bias=False).model, 20, 2).eval()
    with torch.no_grad():
        made.entity.weight.mul_(scale)
    return made


def test_equal_scores_are_chance_and_a_certain_prediction_is_none():
    assert prediction_entropy(scorer(0.0), *QUERIES) == pytest.approx(1)
    assert prediction_entropy(scorer(1e4), *QUERIES) == pytest.approx(0, abs=1e-3)


def test_only_chance_counts_as_collapse():
    assert is_collapsed(1.0)
    assert not is_collapsed(0.99)
    assert not is_collapsed(float("nan"))
