from math import gcd

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.hyperbolic.geometry.spherical_codes import smallest_angle, spherical_code
from terrarium.hyperbolic.layouts.child_codes import assign_codes, axis_shift, sibling_index
from tests.hyperbolic.trees import star, trees


def test_crowding_comes_from_the_code_of_children_and_parent():
    tree = star(13)
    angle = smallest_angle(spherical_code(12, 8))
    assert assign_codes(tree, 8).crowding[0] == pytest.approx(2.0 * np.log(1.0 / np.sin(angle / 2.0)))


@given(tree=trees(60), dim=st.integers(2, 12))
def test_siblings_take_different_rows_and_none_takes_that_of_the_grandparent(tree, dim):
    codes = assign_codes(tree, dim)
    for parent in np.unique(tree.parent[1:]):
        places = codes.place[tree.children(parent)]
        assert len(set(places)) == len(places)
        assert places.min() >= (tree.parent[parent] >= 0)
        if parent + 1 < len(codes.start):
            assert codes.start[parent] + places.max() < len(codes.code)


@given(tree=trees(60))
def test_siblings_are_numbered_in_the_order_of_their_rows(tree):
    index = sibling_index(tree)
    for parent in np.unique(tree.parent[1:]):
        children = np.sort(tree.children(parent))
        assert index[children].tolist() == list(range(len(children)))


@given(st.integers(2, 200))
def test_repeated_shifts_visit_every_axis(dim):
    assert gcd(axis_shift(dim), dim) == 1
    assert 0 < axis_shift(dim) < dim
