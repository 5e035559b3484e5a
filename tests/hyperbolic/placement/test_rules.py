"""The rules that need no embedding, by hand on one tree."""

import numpy as np
import pytest

from terrarium.hyperbolic.placement.place import Relatives
from terrarium.hyperbolic.placement.rules import (
    RULES,
    closest_fit,
    common_ancestor,
    majority_parent,
    parent_of_nearest,
    weighted_common_ancestor,
)
from tests.hyperbolic.trees import tree_of

# 0 has the children 1 and 2; 1 has 3, 4 (parents of 5, 6 and 7, 8); 2 has the leaf 9
TREE = tree_of([0, 0, 1, 1, 3, 3, 4, 4, 2])


def known(ids: list[int], weights: list[float], distances: list[float] | None = None) -> Relatives:
    given = None if distances is None else np.array([distances])
    return Relatives(TREE.rows(ids).astype(np.int64)[None], np.array([weights]), given)


def ids(rows: np.ndarray) -> int:
    return int(TREE.ids[rows[0]])


def test_the_nearest() -> None:
    assert ids(parent_of_nearest(TREE, known([5, 7, 9], [1.0, 3.0, 2.0]))) == 4


def test_the_majority() -> None:
    assert ids(majority_parent(TREE, known([5, 6, 7], [1.0, 1.0, 1.5]))) == 3
    assert ids(majority_parent(TREE, known([5, 6, 7], [1.0, 1.0, 2.5]))) == 4


def test_the_common_ancestor() -> None:
    assert ids(common_ancestor(TREE, known([5, 6], [1.0, 1.0]))) == 3
    assert ids(common_ancestor(TREE, known([5, 7], [1.0, 1.0]))) == 1
    assert ids(common_ancestor(TREE, known([5, 7, 9], [1.0, 1.0, 1.0]))) == 0
    assert ids(common_ancestor(TREE, known([5], [1.0]))) == 3


def test_the_ancestor_of_half_the_weight() -> None:
    assert ids(weighted_common_ancestor(TREE, known([5, 7, 9], [1.0, 1.0, 1.0]))) == 1
    assert ids(weighted_common_ancestor(TREE, known([5, 7, 9], [3.0, 1.0, 1.0]))) == 3
    assert ids(weighted_common_ancestor(TREE, known([5, 9], [1.0, 1.0]))) == 0


def test_the_closest_fit() -> None:
    assert ids(closest_fit(TREE, known([5, 7], [1.0, 1.0], [2.0, 4.0]))) == 3
    assert ids(closest_fit(TREE, known([5, 7], [1.0, 1.0], [3.0, 3.0]))) == 1
    with pytest.raises(ValueError, match="needs distances"):
        closest_fit(TREE, known([5], [1.0]))


def test_missing_relatives_do_not_count() -> None:
    full = known([5, 7], [2.0, 1.0], [2.0, 4.0])
    padded = [np.insert(values, 1, fill, axis=1) for values, fill in zip(full, (-1, 9.0, 1.0), strict=True)]
    for rule in RULES.values():
        assert rule(TREE, full) == rule(TREE, Relatives(*padded))


def test_relatives_of_the_root_stay_in_the_tree() -> None:
    for rule in RULES.values():
        assert rule(TREE, known([0], [1.0], [1.0]))[0] == 0
