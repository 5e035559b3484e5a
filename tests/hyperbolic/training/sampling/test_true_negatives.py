import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hyperbolic.training.sampling.random_stream import Stream
from terrarium.hyperbolic.training.sampling.tree_arrays import tree_arrays
from terrarium.hyperbolic.training.sampling.true_negatives import (
    sample_hard,
    sample_unrelated,
    sample_unrelated_at_depth,
)
from tests.hyperbolic.trees import chain, random_dag, random_tree, star, trees


def draw(function, tree, *arguments, count=40, seed=0, epoch=1, pair=0):
    out = np.full(count, -1, np.int64)
    got = function(tree_arrays(tree), *arguments, Stream(seed, epoch), pair, out)
    return out[:got]


@settings(max_examples=50, deadline=None)
@given(trees(), st.integers(0, 1000))
def test_no_negative_is_ever_a_relative(tree, seed):
    for anchor in range(len(tree)):
        forbidden = set(range(anchor, tree.end[anchor])) | set(tree.ancestors(anchor).tolist())
        for got in (
            draw(sample_unrelated, tree, anchor, seed=seed),
            draw(sample_hard, tree, anchor, 20, 3, seed=seed),
        ):
            assert not forbidden & set(got.tolist())
        for depth in range(tree.max_depth + 1):
            got = draw(sample_unrelated_at_depth, tree, anchor, depth, seed=seed)
            assert not set(range(anchor, tree.end[anchor])) & set(got.tolist())


@settings(max_examples=50, deadline=None)
@given(trees(), st.integers(0, 1000))
def test_negatives_at_depth_have_that_depth_where_there_are_any(tree, seed):
    for anchor in range(len(tree)):
        for depth in range(1, tree.max_depth + 1):
            level = np.flatnonzero(tree.depth == depth)
            pool = level[(level < anchor) | (level >= tree.end[anchor])]
            got = draw(sample_unrelated_at_depth, tree, anchor, depth, seed=seed)
            if len(pool):
                assert len(got) == 40
                assert set(got.tolist()) <= set(pool.tolist())


def test_draws_are_uniform():
    tree = random_tree(np.random.default_rng(3), 60)
    anchor = int(np.flatnonzero((tree.depth == 2) & (tree.end - np.arange(60) > 1))[0])
    forbidden = set(range(anchor, tree.end[anchor])) | set(tree.ancestors(anchor).tolist())
    counts = np.bincount(draw(sample_unrelated, tree, anchor, count=60_000), minlength=60)
    allowed = np.array([row for row in range(60) if row not in forbidden])
    expected = 60_000 / len(allowed)
    assert np.square(counts[allowed] - expected).sum() / expected < 2 * len(allowed)


def test_hard_negatives_are_children_of_near_ancestors():
    tree = random_tree(np.random.default_rng(1), 200)
    anchor = int(np.argmax(tree.depth))
    path = tree.ancestors(anchor)[:2]
    got = draw(sample_hard, tree, anchor, 40, 2)
    near = got[: np.argmax(~np.isin(tree.parent[got], path)) or len(got)]
    assert np.isin(tree.parent[near], path).all()


@pytest.mark.parametrize("tree", [chain(10), star(5)])
def test_a_root_has_no_negatives(tree):
    assert len(draw(sample_unrelated_at_depth, tree, 0, 1)) == 0
    assert len(draw(sample_unrelated, tree, 0)) == 0


def test_a_chain_has_none_at_all():
    for anchor in range(10):
        assert len(draw(sample_hard, chain(10), anchor, 5, 4)) == 0


def test_a_draw_depends_on_seed_epoch_and_pair():
    tree = random_tree(np.random.default_rng(1), 300)
    base = draw(sample_unrelated, tree, 250, seed=1, epoch=2, pair=3)
    assert (base == draw(sample_unrelated, tree, 250, seed=1, epoch=2, pair=3)).all()
    for other in (
        {"seed": 2, "epoch": 2, "pair": 3},
        {"seed": 1, "epoch": 3, "pair": 3},
        {"seed": 1, "epoch": 2, "pair": 4},
    ):
        assert (base != draw(sample_unrelated, tree, 250, **other)).any()


@pytest.mark.parametrize("seed", range(4))
def test_no_negative_is_a_relative_by_a_further_link(seed):
    dag = random_dag(np.random.default_rng(seed), 60)
    for anchor in range(len(dag)):
        forbidden = {anchor, *dag.ancestors(anchor).tolist(), *dag.below(anchor).tolist()}
        got = [
            draw(sample_unrelated, dag, anchor),
            draw(sample_hard, dag, anchor, 20, 3),
            draw(sample_unrelated_at_depth, dag, anchor, min(int(dag.depth[anchor]) + 1, dag.max_depth)),
        ]
        assert not forbidden & {int(row) for rows in got for row in rows}
