import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hyperbolic.data.build import patristic_distance
from terrarium.hyperbolic.evaluation.distortion import distortion, sample_pairs
from terrarium.hyperbolic.geometry.ball import Layout, distance
from terrarium.hyperbolic.layouts.combinatorial import construct
from tests.hyperbolic.trees import chain, random_layout, random_tree, trees


def test_a_straight_chain_has_no_distortion():
    tree = chain(8)
    layout = Layout(0.7 * tree.depth.astype(float), np.tile([1.0, 0.0], (8, 1)))
    found = distortion(tree, layout, max_pairs=1000, seed=0)
    assert found["hops_spearman"] > 0.98
    assert found["distortion_mean"] == pytest.approx(0.0, abs=1e-9)
    assert found["distortion_worst"] == pytest.approx(1.0)
    assert found["distortion_pairs"] == 28


@settings(max_examples=30, deadline=None)
@given(trees(25), st.integers(0, 1000))
def test_all_pairs_are_the_definition(tree, seed):
    layout = random_layout(np.random.default_rng(seed), len(tree))
    found = distortion(tree, layout, max_pairs=10_000, seed=0)
    d, g = [], []
    for a in range(len(tree)):
        for b in range(a):
            d.append(float(distance(layout.radius[a], layout.direction[a], layout.radius[b], layout.direction[b])))
            g.append(float(tree.hops(a, b)))
    d, g = np.array(d), np.array(g)
    assert found["distortion_mean"] == pytest.approx(np.abs((g @ d) / (d @ d) * d / g - 1).mean())
    assert found["distortion_worst"] == pytest.approx((d / g).max() / (d / g).min())


def test_the_construction_keeps_hops_better_than_chance():
    tree = random_tree(np.random.default_rng(0), 600)
    good = distortion(tree, construct(tree, 6, 30.0), max_pairs=20_000, seed=0)
    bad = distortion(tree, random_layout(np.random.default_rng(1), 600, 6), max_pairs=20_000, seed=0)
    assert good["hops_spearman"] > 0.8 > bad["hops_spearman"] + 0.5
    assert good["distortion_mean"] < 0.5 * bad["distortion_mean"]


@given(st.integers(2, 300), st.integers(1, 2000), st.integers(0, 100))
def test_pairs_differ_and_are_seeded(size, pairs, seed):
    a, b = sample_pairs(size, pairs, seed)
    assert (a < b).all()
    assert len(a) <= pairs or len(a) == size * (size - 1) // 2
    assert len(np.unique(a * size + b)) == len(a)
    assert all((x == y).all() for x, y in zip((a, b), sample_pairs(size, pairs, seed), strict=True))


def test_points_that_coincide_have_no_bound():
    tree = chain(3)
    layout = Layout(np.array([0.1, 0.5, 0.5]), np.tile([1.0, 0.0], (3, 1)))
    assert "distortion_worst" not in distortion(tree, layout, max_pairs=10, seed=0)


def test_lengths_take_the_place_of_hops():
    tree = chain(6)
    root_distance = np.array([0.0, 1.0, 1.5, 4.0, 4.2, 9.0])
    layout = Layout(0.3 * root_distance, np.tile([1.0, 0.0], (6, 1)))
    found = distortion(tree, layout, max_pairs=1000, seed=0, root_distance=root_distance)
    assert found["distortion_mean"] == pytest.approx(0.0, abs=1e-9)
    assert found["distortion_worst"] == pytest.approx(1.0)
    assert distortion(tree, layout, max_pairs=1000, seed=0)["distortion_mean"] > 0.1


@given(trees(25))
def test_unit_lengths_are_hops(tree):
    a, b = sample_pairs(len(tree), 1000, 0)
    assert (patristic_distance(tree, tree.depth.astype(float), a, b) == tree.hops(a, b)).all()
