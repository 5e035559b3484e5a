import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.hyperbolic.data.build import closure_table
from terrarium.pipelines.hyperbolic.validators import closure_is_exact, vectors_are_inside

from .trees import trees


@given(trees())
def test_the_closure_of_a_tree_is_accepted(tree):
    closure_is_exact(closure_table(tree))


@given(trees().filter(lambda tree: tree.max_depth > 1), st.data())
def test_a_closure_that_lacks_a_row_below_the_deepest_is_refused(tree, data):
    closure = closure_table(tree)
    deep = closure.index[closure["depth_diff"] < closure.groupby("descendant")["depth_diff"].transform("max")]
    with pytest.raises(ValueError, match="not that of a hierarchy"):
        closure_is_exact(closure.drop(data.draw(st.sampled_from(list(deep)))))


def test_vectors_on_the_sphere_are_refused():
    vectors = pd.DataFrame({"name": ["a", "b"], "x0": [0.0, 1.0], "x1": [0.5, 0.0]})
    with pytest.raises(ValueError, match="b"):
        vectors_are_inside(vectors)
    vectors_are_inside(vectors.assign(x0=[0.0, np.nextafter(1.0, 0.0)]))


@given(trees(), st.data())
def test_cut_lineages_are_accepted_as_such_alone(tree, data):
    whole = closure_table(tree)
    cut = data.draw(st.integers(int(whole["descendant"].min()), len(tree)))
    if not ((whole["ancestor"] <= cut) & (whole["descendant"] <= cut)).any():
        return
    closure = closure_table(tree, cut)
    closure_is_exact(closure)
    above = pd.concat([closure, whole.assign(descendant=len(tree) + 1).head(1)])
    above.attrs = closure.attrs
    with pytest.raises(ValueError, match="is cut above"):
        closure_is_exact(above)
    twice = pd.concat([closure[closure["depth_diff"] == closure["depth_diff"].min()]] * 2)
    twice.attrs = closure.attrs
    if (twice["depth_diff"] == 1).all():
        with pytest.raises(ValueError, match="not that of a hierarchy"):
            closure_is_exact(twice)
