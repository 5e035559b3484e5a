"""The matrix of targets and the ranks of true ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.hyperbolic.associations.targets import rank_targets
from tests.hyperbolic.associations.links import genera, targets


def test_the_matrix_holds_every_link():
    tree, found = targets()
    _, _, links = genera()
    assert found.names.to_numpy().tolist() == [
        ["infects", "host 0"],
        ["infects", "host 1"],
        ["infects", "host 2"],
        ["lives_in", "sea 0"],
        ["lives_in", "sea 1"],
    ]
    assert found.relation.tolist() == [0, 0, 0, 1, 1]
    assert found.is_true.sum() == len(links)
    assert sum(len(rows) for rows in found.nodes.values()) == links["node"].nunique()
    assert found.train_counts.sum() == found.is_true[found.nodes["train"]].sum()
    for row in tree.rows(links["node"][:20]):
        assert found.is_true[row].sum() == 2


@given(seed=st.integers(0, 1000))
def test_ranks_against_the_definition(seed: int) -> None:
    """The true target among the false ones of its relation; ties count half."""
    _, found = targets()
    rows = found.nodes["test"]
    scores = np.random.default_rng(seed).integers(0, 3, (len(rows), 5)).astype(float)
    expected = []
    for place, row in enumerate(rows):
        for target in np.flatnonzero(found.is_true[row]):
            false = (found.relation == found.relation[target]) & ~found.is_true[row]
            better = (scores[place, false] > scores[place, target]).sum()
            tied = (scores[place, false] == scores[place, target]).sum()
            expected.append(1.0 + better + 0.5 * tied)
    metrics = rank_targets(found, rows, scores)
    assert metrics["links"] == len(expected)
    assert metrics["mrr"] == pytest.approx(np.mean(1.0 / np.array(expected)))
    assert metrics["hits_at_1"] == pytest.approx(np.mean(np.array(expected) == 1.0))


def test_perfect_scores():
    _, found = targets()
    metrics = rank_targets(found, found.nodes["test"], found.is_true[found.nodes["test"]].astype(float))
    assert (metrics["mrr"], metrics["hits_at_1"]) == (1.0, 1.0)
