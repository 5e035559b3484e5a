"""Ranks against a slow statement of the definition, ties, perfect layouts, large radii, samples, threads."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.evaluation.reconstruction import (
    QuerySample,
    Ranking,
    Reconstruction,
    choose_queries,
    reconstruct,
    reconstruct_undirected,
)
from terrarium.hyperbolic.geometry import ball as geometry
from terrarium.hyperbolic.geometry.ball import Layout
from tests.hyperbolic.trees import chain, random_dag, random_layout, random_tree, star, tree_of, trees


def everything(tree: Hierarchy) -> QuerySample:
    return choose_queries(tree, max_exact=len(tree), num_queries=1, seed=0)


def slow_ranking(score: np.ndarray, tree: Hierarchy, relatives: list[set[int]]) -> list[tuple[float, float]]:
    """(sum of ranks, average precision) of each query, as the definition reads."""
    found = []
    for u, own in enumerate(relatives):
        others = [v for v in range(len(tree)) if v != u and v not in own]
        ranks, precision = 0.0, 0.0
        for j, key in enumerate(sorted(score[u, v] for v in own), start=1):
            ahead = sum(1.0 if score[u, v] < key else 0.5 if score[u, v] == key else 0.0 for v in others)
            ranks += 1.0 + ahead
            precision += j / (j + ahead)
        found.append((ranks, precision / max(len(own), 1)))
    return found


def check(tree: Hierarchy, ranking: Ranking, score: np.ndarray, relatives: list[set[int]]) -> None:
    expected = np.array(slow_ranking(score, tree, relatives))
    np.testing.assert_array_equal(ranking.relatives, [len(r) for r in relatives])
    np.testing.assert_allclose(ranking.rank_sum, expected[:, 0], rtol=1e-12)
    np.testing.assert_allclose(ranking.average_precision, expected[:, 1], rtol=1e-12)


def all_scores(layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    args = (layout.radius[:, None], layout.direction[:, None], layout.radius[None], layout.direction[None])
    return geometry.distance(*args), geometry.detour(*args)


def family(tree: Hierarchy) -> tuple[list[set[int]], list[set[int]]]:
    ancestors = [set(tree.ancestors(u).tolist()) for u in range(len(tree))]
    neighbours = [set(tree.children(u).tolist()) | ({int(tree.parent[u])} - {-1}) for u in range(len(tree))]
    return ancestors, neighbours


@settings(max_examples=60, deadline=None)
@given(tree=trees(), seed=st.integers(0, 2**32 - 1), dim=st.integers(2, 5))
def test_equals_the_definition_on_random_trees(tree: Hierarchy, seed: int, dim: int) -> None:
    layout = random_layout(np.random.default_rng(seed), len(tree), dim)
    found = reconstruct(tree, layout, everything(tree), threads=1)
    by_distance, by_detour = all_scores(layout)
    ancestors, neighbours = family(tree)
    check(tree, found.by_distance, by_distance, ancestors)
    check(tree, found.by_detour, by_detour, ancestors)
    check(tree, found.edges, by_distance, neighbours)


@settings(max_examples=40, deadline=None)
@given(tree=trees(), seed=st.integers(0, 2**32 - 1))
def test_equals_the_definition_with_many_ties(tree: Hierarchy, seed: int) -> None:
    """Few places, on the axes, so that equal distances are equal bits."""
    rng = np.random.default_rng(seed)
    axes = np.eye(3)[rng.integers(0, 3, len(tree))]
    layout = Layout(rng.integers(0, 2, len(tree)) * 1.5, axes)
    found = reconstruct(tree, layout, everything(tree), threads=1)
    by_distance, by_detour = (np.round(score, 9) for score in all_scores(layout))
    ancestors, neighbours = family(tree)
    check(tree, found.by_distance, by_distance, ancestors)
    check(tree, found.by_detour, by_detour, ancestors)
    check(tree, found.edges, by_distance, neighbours)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), ties=st.booleans(), dag=st.booleans())
def test_the_undirected_variant_equals_the_definition(seed: int, ties: bool, dag: bool) -> None:
    rng = np.random.default_rng(seed)
    tree = (random_dag if dag else random_tree)(rng, 30)
    layout = random_layout(rng, 30)
    if ties:
        layout = Layout(rng.integers(0, 2, 30) * 1.5, np.eye(3)[rng.integers(0, 3, 30)])
    lines = [set(tree.ancestors(u).tolist()) | set(tree.below(u).tolist()) for u in range(30)]
    slow = np.array(slow_ranking(np.round(all_scores(layout)[0], 9), tree, lines))
    found = reconstruct_undirected(tree, layout, everything(tree), threads=1)
    assert found["undirected_map_distance"] == pytest.approx(slow[:, 1].mean())
    assert found["undirected_mean_rank_distance"] == pytest.approx(slow[:, 0].sum() / (2 * tree.pair_count))


def test_the_undirected_variant_of_a_sample_has_limits() -> None:
    tree = random_tree(np.random.default_rng(0), 600)
    layout = random_layout(np.random.default_rng(1), 600)
    sample = choose_queries(tree, max_exact=0, num_queries=100, seed=0)
    found = reconstruct_undirected(tree, layout, sample)
    whole = reconstruct_undirected(tree, layout, everything(tree))
    for name, value in whole.items():
        assert found[f"{name}_low"] < found[name] < found[f"{name}_high"]
        assert found[name] == pytest.approx(value, rel=0.5)


def test_metrics_average_over_taxa_and_over_pairs() -> None:
    rng = np.random.default_rng(5)
    tree = random_tree(rng, 300)
    layout = random_layout(rng, 300)
    metrics = reconstruct(tree, layout, everything(tree)).metrics()
    ancestors, neighbours = family(tree)
    by_distance, by_detour = all_scores(layout)
    for name, score in (("distance", by_distance), ("detour", by_detour)):
        slow = np.array(slow_ranking(score, tree, ancestors))[1:]
        assert metrics[f"ancestor_map_{name}"] == pytest.approx(slow[:, 1].mean(), rel=1e-12)
        assert metrics[f"ancestor_mean_rank_{name}"] == pytest.approx(slow[:, 0].sum() / tree.pair_count, rel=1e-12)
    edges = np.array(slow_ranking(by_distance, tree, neighbours))
    assert metrics["edge_map"] == pytest.approx(edges[:, 1].mean(), rel=1e-12)
    assert metrics["reconstruction_queries"] == 300
    assert not any(name.endswith(("_low", "_high")) for name in metrics)


def test_a_tree_bent_into_rays_has_detour_map_1() -> None:
    """Two legs, each on a ray of its own, the root at the origin: every ancestor on the geodesic, nothing else."""
    tree = tree_of([0, 1, 2, 3, 0, 5, 6, 7])
    direction = np.zeros((9, 2))
    direction[:5, 0], direction[5:, 1] = 1.0, 1.0
    layout = Layout(tree.depth * 1.0, direction)
    metrics = reconstruct(tree, layout, everything(tree)).metrics()
    assert metrics["ancestor_map_detour"] == 1.0
    assert metrics["ancestor_mean_rank_detour"] == 1.0
    assert metrics["ancestor_map_distance"] < 1.0


def test_nested_cones_have_detour_map_1() -> None:
    """A complete binary tree in the plane, whose angles shrink as fast as circles grow."""
    tree = tree_of([(i - 1) // 2 for i in range(1, 63)])
    angle = np.zeros(63)
    for row in range(63):
        for side, child in zip((-1.0, 1.0), tree.children(row), strict=False):
            angle[child] = angle[row] + side * np.pi / 2 * np.exp(-3.0 * tree.depth[row])
    layout = Layout(tree.depth * 3.0, np.stack([np.cos(angle), np.sin(angle)], axis=1))
    metrics = reconstruct(tree, layout, everything(tree)).metrics()
    assert metrics["ancestor_map_detour"] == 1.0
    assert metrics["edge_map"] == 1.0


def test_a_collapsed_layout_ties_everywhere() -> None:
    tree = star(50)
    layout = Layout(np.full(50, 2.0), np.tile([0.6, 0.8], (50, 1)))
    found = reconstruct(tree, layout, everything(tree))
    np.testing.assert_array_equal(found.by_distance.rank_sum[1:], 1 + 48 / 2)
    np.testing.assert_array_equal(found.by_detour.rank_sum[1:], 1 + 48 / 2)
    assert found.edges.average_precision[0] == 1.0


def test_a_chain_has_only_descendants_as_negatives() -> None:
    tree = chain(30)
    layout = Layout(np.arange(30.0), np.tile([1.0, 0.0], (30, 1)))
    found = reconstruct(tree, layout, everything(tree))
    np.testing.assert_array_equal(found.by_detour.average_precision[1:], 1.0)
    # by distance the k-th ancestor ties with the k-th descendant and loses to the nearer ones
    u = 15
    k = np.arange(1, 16)
    ahead = np.minimum(k - 1, 14) + 0.5 * (k <= 14)
    assert found.by_distance.rank_sum[u] == (1 + ahead).sum()


def test_keeps_accuracy_at_large_radii() -> None:
    """Order of distance and detour at radii near 33 with tiny angles, against 80 digits."""
    rng = np.random.default_rng(0)
    n = 60
    tree = random_tree(rng, n)
    radius = rng.uniform(28.0, 34.0, n)
    angle = rng.uniform(-1.0, 1.0, n) * 10.0 ** rng.uniform(-13, -1, n)
    layout = Layout(radius, np.stack([np.cos(angle), np.sin(angle)], axis=1))
    exact = np.array([exact_scores(layout, u) for u in range(n)])
    found = reconstruct(tree, layout, everything(tree))
    ancestors, neighbours = family(tree)
    check(tree, found.by_distance, exact[:, 0], ancestors)
    check(tree, found.by_detour, exact[:, 1], ancestors)
    check(tree, found.edges, exact[:, 0], neighbours)


def exact_scores(layout: Layout, u: int) -> tuple[list[Decimal], list[Decimal]]:
    with localcontext() as context:
        context.prec = 80
        distance, detour = [], []
        for v in range(len(layout)):
            own, other = layout.direction[u], layout.direction[v]
            chord = sum((Decimal(a) - Decimal(b)) ** 2 for a, b in zip(own.tolist(), other.tolist(), strict=True))
            ru, rv = Decimal(float(layout.radius[u])), Decimal(float(layout.radius[v]))
            grow, shrink = (ru - rv).exp(), (rv - ru).exp()
            sinhs = (ru.exp() - (-ru).exp()) * (rv.exp() - (-rv).exp()) / 4
            cosh = (grow + shrink) / 2 + sinhs * chord / 2
            d = (cosh + max(cosh * cosh - 1, Decimal(0)).sqrt()).ln()
            distance.append(d)
            detour.append(rv + d - ru)
        return distance, detour


def test_threads_do_not_change_the_numbers() -> None:
    rng = np.random.default_rng(3)
    tree, layout = random_tree(rng, 1000), random_layout(rng, 1000)
    one, four = (reconstruct(tree, layout, everything(tree), threads=k) for k in (1, 4))
    for name in ("by_distance", "by_detour", "edges"):
        np.testing.assert_array_equal(getattr(one, name).rank_sum, getattr(four, name).rank_sum)
        np.testing.assert_array_equal(getattr(one, name).average_precision, getattr(four, name).average_precision)
    assert one.metrics() == four.metrics()


def test_a_sample_is_stratified_seeded_and_counted_over_all_rows() -> None:
    rng = np.random.default_rng(4)
    tree, layout = random_tree(rng, 2000), random_layout(rng, 2000)
    sample = choose_queries(tree, max_exact=100, num_queries=300, seed=7)
    assert not sample.is_exact
    np.testing.assert_array_equal(sample.rows, choose_queries(tree, 100, 300, 7).rows)
    assert not np.array_equal(sample.rows, choose_queries(tree, 100, 300, 8).rows)
    taken = np.bincount(sample.depth, minlength=tree.max_depth + 1)
    assert (taken >= np.minimum(sample.population, 10)).all()
    assert len(np.unique(sample.rows)) == len(sample.rows) <= 300 + 10 * len(taken)
    whole, part = reconstruct(tree, layout, everything(tree)), reconstruct(tree, layout, sample)
    np.testing.assert_array_equal(part.by_detour.rank_sum, whole.by_detour.rank_sum[sample.rows])


def test_intervals_hold_the_exact_value_about_19_times_in_20() -> None:
    rng = np.random.default_rng(6)
    tree, layout = random_tree(rng, 1500), random_layout(rng, 1500)
    whole = reconstruct(tree, layout, everything(tree))
    exact = whole.metrics()
    names = ("ancestor_map_distance", "ancestor_mean_rank_detour", "edge_map")
    inside = dict.fromkeys(names, 0)
    for seed in range(200):
        sample = choose_queries(tree, 0, 800, seed)
        found = Reconstruction(
            sample, *(part(r, sample.rows) for r in (whole.by_distance, whole.by_detour, whole.edges))
        ).metrics()
        for name in names:
            inside[name] += found[f"{name}_low"] <= exact[name] <= found[f"{name}_high"]
    assert all(177 <= count <= 199 for count in inside.values()), inside


def part(ranking: Ranking, rows: np.ndarray) -> Ranking:
    return Ranking(ranking.rank_sum[rows], ranking.average_precision[rows], ranking.relatives[rows])


def test_a_sample_of_everything_is_exact() -> None:
    tree = chain(20)
    assert choose_queries(tree, max_exact=0, num_queries=20, seed=0).is_exact
    assert choose_queries(tree, max_exact=20, num_queries=1, seed=0).is_exact


@pytest.mark.parametrize(
    ("radius", "message"),
    [
        (np.zeros(4), "4 points for 5 taxa"),
        (np.array([0.0, np.nan, 1.0, 1.0, 1.0]), "row 1 is not finite"),
        (np.array([0.0, -1.0, 1.0, 1.0, 1.0]), "radii from -1"),
        (np.array([0.0, 400.0, 1.0, 1.0, 1.0]), "lower model.max_radius"),
    ],
)
def test_broken_layouts_are_refused(radius: np.ndarray, message: str) -> None:
    layout = Layout(radius, np.tile([1.0, 0.0], (len(radius), 1)))
    tree = star(5)
    with pytest.raises(ValueError, match=message):
        reconstruct(tree, layout, everything(tree))


@pytest.mark.parametrize("seed", range(3))
def test_with_several_parents_all_ancestors_and_links_count(seed: int) -> None:
    rng = np.random.default_rng(seed)
    dag = random_dag(rng, 40)
    layout = random_layout(rng, len(dag))
    found = reconstruct(dag, layout, everything(dag))
    by_distance, by_detour = all_scores(layout)
    ancestors = [set(dag.ancestors(u).tolist()) for u in range(len(dag))]
    neighbours = [set(dag.children(u).tolist()) | set(dag.parents(u).tolist()) for u in range(len(dag))]
    check(dag, found.by_distance, by_distance, ancestors)
    check(dag, found.by_detour, by_detour, ancestors)
    check(dag, found.edges, by_distance, neighbours)
    expected = sum(ranks for ranks, _ in slow_ranking(by_detour, dag, ancestors)) / dag.pair_count
    assert found.metrics()["ancestor_mean_rank_detour"] == pytest.approx(expected)
