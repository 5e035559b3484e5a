import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.common.schemas import TableError
from terrarium.hyperbolic.data.build import closure_table
from terrarium.pipelines.hyperbolic.validators import require_exact_closure, require_points_inside
from tests.hyperbolic.trees import tree_of, trees


@given(trees())
def test_the_closure_of_a_tree_is_accepted(tree):
    require_exact_closure(closure_table(tree))


@given(trees().filter(lambda tree: tree.max_depth > 1), st.data())
def test_a_closure_that_lacks_a_row_below_the_deepest_is_refused(tree, data):
    closure = closure_table(tree)
    deep = closure.index[closure["depth_diff"] < closure.groupby("descendant")["depth_diff"].transform("max")]
    with pytest.raises(ValueError, match="not that of a hierarchy"):
        require_exact_closure(closure.drop(data.draw(st.sampled_from(list(deep)))))


def vectors(**changes):
    columns = {"id": np.arange(2, dtype=np.int32), "name": ["a", "b"], "rank": "species"}
    columns |= {"depth": np.arange(2, dtype=np.int16), "parent": np.array([-1, 0], np.int32), "radius": [0.0, 1.0]}
    return pd.DataFrame(columns | {"x0": [0.0, 0.5], "x1": [0.5, 0.0]} | changes)


def test_vectors_on_the_sphere_are_refused():
    with pytest.raises(ValueError, match="b"):
        require_points_inside(vectors(x0=[0.0, 1.0]))
    require_points_inside(vectors(x0=[0.0, np.nextafter(1.0, 0.0)]))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (vectors().drop(columns="radius"), "radius"),
        (vectors(radius=[0.0, -1.0]), "radius"),
        (vectors(id=np.zeros(2, np.int32)), "id"),
        (vectors(x1=np.zeros(2, np.float32)), "x1"),
        (vectors().drop(columns=["x0", "x1"]), "x"),
    ],
)
def test_vectors_with_wrong_columns_are_refused(table, message):
    with pytest.raises(TableError, match=message):
        require_points_inside(table)


def test_a_closure_with_wrong_columns_is_refused():
    closure = closure_table(tree_of([0, 0, 1]))
    with pytest.raises(TableError, match="depth_diff"):
        require_exact_closure(closure.assign(depth_diff=np.zeros(len(closure), np.int16)))


@given(trees(), st.data())
def test_cut_lineages_are_accepted_as_such_alone(tree, data):
    whole = closure_table(tree)
    cut = data.draw(st.integers(int(whole["descendant"].min()), len(tree)))
    if not ((whole["ancestor"] <= cut) & (whole["descendant"] <= cut)).any():
        return
    closure = closure_table(tree, cut)
    require_exact_closure(closure)
    above = pd.concat([closure, whole.assign(descendant=np.int32(len(tree) + 1)).head(1)])
    above.attrs = closure.attrs
    with pytest.raises(ValueError, match="is cut above id"):
        require_exact_closure(above)
    twice = pd.concat([closure[closure["depth_diff"] == closure["depth_diff"].min()]] * 2)
    twice.attrs = closure.attrs
    if (twice["depth_diff"] == 1).all():
        with pytest.raises(ValueError, match="not that of a hierarchy"):
            require_exact_closure(twice)
