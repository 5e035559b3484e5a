import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from terrarium.kge.evaluation.ranking import ScoresNotFiniteError, realistic_ranks, require_finite
from tests.kge.evaluation.oracle import rank


def ours(scores, targets, others):
    row = [i for i, known in enumerate(others) for _ in known]
    entity = [e for known in others for e in known]
    parts = (torch.tensor(part, dtype=torch.long) for part in (targets, row, entity))
    return realistic_ranks(torch.tensor(scores, dtype=torch.float64), *parts).tolist()


@given(st.integers(0, 10_000), st.integers(1, 5))
def test_ranks_equal_the_plainest_loops_also_with_ties(seed, levels):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels, size=(4, 9)).astype(float)
    targets = rng.integers(0, 9, size=4).tolist()
    others = [rng.permutation(9)[: rng.integers(0, 6)].tolist() for _ in range(4)]
    expected = [rank(s, t, set(o)) for s, t, o in zip(scores, targets, others, strict=True)]
    assert ours(scores.copy(), targets, others) == expected


def test_a_constant_scorer_earns_the_middle_place():
    assert ours(np.zeros((1, 101)), [7], [[]]) == [51.0]
    assert ours(np.zeros((1, 101)), [7], [[7, *range(20, 40)]]) == [41.0]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_an_error_and_no_perfect_rank(value):
    scores = torch.zeros(2, 5)
    assert require_finite(scores) is scores
    scores[1, 3] = value
    with pytest.raises(ScoresNotFiniteError, match="scores are not finite"):
        require_finite(scores)


def test_pykeens_evaluator_gives_the_same_ranks():
    """PyKEEN's realistic ranks of the same scores, where PyKEEN is installed (the extra oracle)."""
    theirs_of = pytest.importorskip("pykeen.evaluation.ranks", reason="PyKEEN is not installed", exc_type=ImportError)
    generator = torch.Generator().manual_seed(0)
    scores = torch.randint(0, 6, (8, 30), generator=generator).double()
    target = torch.randint(0, 30, (8,), generator=generator)
    row = torch.repeat_interleave(torch.arange(8), 4)
    entity = torch.randint(0, 30, (32,), generator=generator)
    masked = scores.clone()
    masked[row, entity] = torch.nan
    own = scores[torch.arange(8), target]
    masked[torch.arange(8), target] = own
    theirs = theirs_of.Ranks.from_scores(own[:, None], masked).realistic
    assert torch.allclose(theirs.double(), realistic_ranks(scores, target, row, entity), atol=1e-6)
