import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hyperbolic.training.sampling.negatives import (
    SAMPLERS,
    UNRELATED_AT_DEPTH,
    Pairs,
    SamplerSettings,
    sample_negatives,
)
from terrarium.hyperbolic.training.sampling.random_stream import Stream
from terrarium.hyperbolic.training.sampling.tree_arrays import tree_arrays
from terrarium.hyperbolic.training.sampling.true_negatives import sample_unrelated_at_depth
from tests.hyperbolic.trees import chain, random_tree, trees


def draw(sampler, tree, anchor, descendant, count=10, seed=0, epoch=1, pair=0):
    out = np.full(count, -1, np.int64)
    kind = UNRELATED_AT_DEPTH if sampler == "true_negatives" else SAMPLERS[sampler]
    ends = np.full(pair + 1, anchor, np.int32), np.full(pair + 1, descendant, np.int32)
    settings = SamplerSettings(kind, count, num_hard=0, num_ancestors=1, num_edge=0)
    got = sample_negatives(tree_arrays(tree), Pairs(*ends, np.ones(pair + 1)), pair, settings, Stream(seed, epoch), out)
    return out[:got]


def parts(tree, row):
    """Other rows of the row's depth: with the same grandparent, with the same ancestor at depth 1, all."""
    level = np.setdiff1d(np.flatnonzero(tree.depth == tree.depth[row]), [row])
    above = tree.ancestors(row)
    line = [row, *above.tolist()]
    cousins = level[tree.is_ancestor(above[1], level)] if len(above) > 1 else level[:0]
    top = line[-2] if len(line) > 1 else row
    kin = level[(level == top) | tree.is_ancestor(top, level)] if tree.depth[row] else level[:0]
    return set(cousins.tolist()), set(kin.tolist()), set(level.tolist())


@settings(max_examples=60, deadline=None)
@given(trees(), st.integers(0, 1000), st.integers(1, 12))
def test_the_level_comes_first_without_replacement_and_without_the_row(tree, seed, count):
    for row in range(len(tree)):
        got = draw("same_depth", tree, 0, row, count, seed).tolist()
        _, _, level = parts(tree, row)
        first = got[: min(count, len(level))]
        assert len(got) == count
        assert len(set(first)) == len(first)
        assert set(first) <= level
        assert all(0 <= n < len(tree) for n in got)


@settings(max_examples=60, deadline=None)
@given(trees(), st.integers(0, 1000), st.integers(1, 20))
def test_tiers_take_what_there_is_and_hand_on_the_rest(tree, seed, count):
    for row in range(len(tree)):
        got = draw("tiered", tree, 0, row, count, seed).tolist()
        cousins, kin, level = parts(tree, row)
        nearest = min(count // 2, len(cousins))
        second = min(count // 2 + int(0.3 * count) - nearest, len(kin))
        third = min(count - nearest - second, len(level))
        bounds = np.cumsum([0, nearest, second, third])
        for pool, first, last in zip((cousins, kin, level), bounds, bounds[1:], strict=False):
            assert set(got[first:last]) <= pool
            assert len(set(got[first:last])) == last - first
        assert len(got) == count


@pytest.mark.parametrize("sampler", ["same_depth", "random", "tiered"])
def test_draws_are_uniform(sampler):
    tree = random_tree(np.random.default_rng(3), 60)
    row = int(np.flatnonzero(tree.depth == 3)[0])
    pool = {"same_depth": parts(tree, row)[2], "random": set(range(60)), "tiered": parts(tree, row)[2]}[sampler]
    got = np.concatenate([draw(sampler, tree, 0, row, 2, pair=pair) for pair in range(20_000)])
    if sampler == "tiered":
        got = got[1::2]
    counts = np.bincount(got, minlength=60)[sorted(pool)]
    assert counts.sum() == len(got)
    expected = len(got) / len(pool)
    assert np.square(counts - expected).sum() / expected < 2 * len(pool) + 10


def test_outside_is_the_sampler_of_true_negatives():
    tree = random_tree(np.random.default_rng(1), 100)
    ancestor, descendant, _ = tree.closure()
    arrays = tree_arrays(tree)
    for pair in range(0, len(ancestor), 7):
        out = np.zeros(10, np.int64)
        got = sample_unrelated_at_depth(arrays, ancestor[pair], tree.depth[descendant[pair]], Stream(0, 1), pair, out)
        assert (draw("true_negatives", tree, ancestor[pair], descendant[pair], pair=pair) == out[:got]).all()


def test_a_level_of_one_is_padded_from_all_rows():
    got = draw("same_depth", chain(10), 0, 9, 200)
    assert set(got.tolist()) == set(range(10))


@pytest.mark.parametrize("sampler", ["same_depth", "random", "tiered"])
def test_a_draw_depends_on_seed_epoch_and_pair(sampler):
    tree = random_tree(np.random.default_rng(1), 400)
    base = draw(sampler, tree, 0, 399, seed=1, epoch=2, pair=3)
    assert (base == draw(sampler, tree, 0, 399, seed=1, epoch=2, pair=3)).all()
    for other in ((2, 2, 3), (1, 3, 3), (1, 2, 4)):
        seed, epoch, pair = other
        assert (base != draw(sampler, tree, 0, 399, seed=seed, epoch=epoch, pair=pair)).any()
