"""One call from edges to an embedding."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.hierarchy import HierarchyError
from terrarium.hyperbolic.use.embed import ROOT, embed

PAIRS = [("b", "a"), ("c", "a"), ("d", "b")]


@pytest.mark.parametrize("edges", [PAIRS, pd.DataFrame(PAIRS, columns=["child", "parent"]), nx.DiGraph(PAIRS).edges])
def test_edges_may_be_pairs_a_table_or_a_graphs(edges):
    found = embed(edges, dim=3)
    assert len(found) == 4
    assert found.name_of(0) == "a"
    assert found.path_to_root("d")["name"].tolist() == ["b", "a"]


def test_numbers_are_names_too():
    assert embed([(2, 1), (3, 1)]).nearest("2", k=1)["name"].tolist() == ["1"]


def test_several_roots_get_a_common_one():
    assert embed([("b", "a"), ("d", "c")]).lowest_common_ancestor("b", "d") == ROOT


def test_a_second_parent_is_kept():
    found = embed([("b", "a"), ("c", "a"), ("d", "b"), ("d", "c")])
    assert set(found.path_to_root("d")["name"]) == {"a", "b", "c"}


def test_a_cycle_is_refused():
    with pytest.raises(HierarchyError, match="cycle"):
        embed([("a", "b"), ("b", "a")])


@given(seed=st.integers(0, 100), size=st.integers(2, 40), dim=st.integers(2, 6), radius=st.floats(4.0, 34.0))
def test_no_point_is_beyond_the_radius(seed, size, dim, radius):
    rng = np.random.default_rng(seed)
    found = embed([(i, int(rng.integers(0, i))) for i in range(1, size)], dim, radius)
    assert found.layout.dim == dim
    assert found.layout.radius.max() <= radius * (1 + 1e-12)
