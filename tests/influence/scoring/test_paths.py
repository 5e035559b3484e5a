from dataclasses import replace
from itertools import combinations, pairwise, permutations

import numpy as np
import pytest

from terrarium.influence.scoring.paths import edge_strata, find_paths, permutation_test, score_paths
from terrarium.kge.data.graph import TRAIN
from tests.influence.contexts import make_context, matrix


def drawn(seed=0, entities=9, count=26):
    rng = np.random.default_rng(seed)
    triples = np.stack([rng.integers(n, size=count) for n in (entities, 2, entities)], axis=1)
    return np.unique(triples[triples[:, 0] != triples[:, 2]], axis=0)


def by_hand(train, head, tail, length, influence):
    """Means of the best edges of every simple path, by trying all sequences of entities."""
    best = {}
    for (a, _, b), value in zip(train.tolist(), influence, strict=True):
        pair = frozenset((a, b))
        best[pair] = max(best.get(pair, -np.inf), value)
    inner = [entity for entity in range(9) if entity not in {head, tail}]
    means = []
    for count in range(length):
        for middle in permutations(inner, count):
            steps = [frozenset(step) for step in pairwise((head, *middle, tail))]
            if all(step in best for step in steps):
                means.append(np.mean([best[step] for step in steps]))
    return sorted(means)


def test_paths_are_all_simple_paths_with_the_best_of_parallel_edges():
    for seed in range(8):
        train = drawn(seed)
        influence = np.random.default_rng(seed + 100).normal(size=len(train))
        for length in (1, 2, 3):
            paths = find_paths(train, 0, 1, length)
            expected = by_hand(train, 0, 1, length, influence)
            assert len(paths) == len(expected)
            if expected:
                scores, _ = score_paths(paths, influence[paths.edges])
                assert np.allclose(np.sort(scores), expected)


def test_a_path_over_a_hub_counts_less_by_the_degrees_of_its_inner_entities():
    train = np.array(
        [[0, 0, 2], [2, 0, 1], [0, 0, 3], [3, 0, 1], *([3, 0, other] for other in range(4, 20)), [0, 0, 1]]
    )
    influence = np.where((train == 3).any(axis=1), 3.0, 2.0)
    for damping, weights in ((0.0, (1, 1, 1)), (0.4, (1, 2**-0.8, 18**-0.8)), (0.5, (1, 1 / 2, 1 / 18))):
        paths = find_paths(train, 0, 1, 3, damping)
        assert paths.weight == pytest.approx(weights)
        assert score_paths(paths, influence[paths.edges]).score == pytest.approx(np.multiply(weights, (2, 2, 3)))


def test_both_inner_entities_of_a_long_path_count():
    train = np.array([[0, 0, 2], [3, 0, 2], [3, 0, 1], [4, 0, 3]])
    paths = find_paths(train, 0, 1, 3, 0.5)
    assert paths.weight == pytest.approx([1 / (2 * 3)])
    assert np.isfinite(permutation_test(paths, np.ones(3), 9, np.random.default_rng(0))).all()


def test_every_edge_of_the_candidates_is_on_a_path():
    train = drawn(3)
    paths = find_paths(train, 0, 1, 3)
    used = np.unique(np.concatenate([paths.groups[0], paths.groups[1], paths.groups[2]]))
    assert set(used) - {-1} == set(range(paths.num_groups)) == set(paths.group)


def by_group(paths, influence):
    return [influence[paths.group == group].max() for group in range(paths.num_groups)]


def test_strata_are_relations_and_the_ends_that_touch():
    edges = np.array([[0, 0, 5], [0, 0, 6], [0, 1, 5], [5, 0, 0], [5, 0, 1], [0, 0, 1], [5, 0, 6], [6, 0, 7]])
    assert [len(set(edge_strata(edges[list(pair)], 0, 1))) for pair in ((0, 1), (6, 7))] == [1, 1]
    assert len(set(edge_strata(edges, 0, 1))) == 6


def layers(paths, train):
    """Scales of influence: edges at the head or at the tail have larger ones, whatever was learned."""
    return 1.0 + 5 * np.isin(train[paths.edges][:, [0, 2]], [0, 1]).any(axis=1)


WIDE = drawn(1, entities=16, count=240)


def wide():
    """The candidates of a larger graph."""
    return find_paths(WIDE, 0, 1, 3)


def p_values_of(paths, count, **changes):
    """P-values of random influences that differ in scale only."""
    rng, changed = np.random.default_rng(0), replace(paths, **changes)
    scales = layers(paths, WIDE)
    return np.array([permutation_test(changed, rng.random(len(scales)) * scales, 39, rng)[0] for _ in range(count)])


def test_p_values_are_about_uniform_where_influence_is_by_chance_within_strata():
    p_values = p_values_of(wide(), 150)
    shares = [np.mean(p_values <= level) for level in (0.05, 0.2, 0.5)]
    assert 0 < shares[0] < 0.1
    assert 0.1 < shares[1] < 0.28
    assert 0.35 < shares[2] < 0.6


def test_shuffled_over_all_edges_such_influence_looks_rare():
    paths = wide()
    p_values = p_values_of(paths, 40, stratum=np.zeros_like(paths.stratum))
    assert np.mean(p_values <= 0.2) > 0.5


def test_an_untrained_scorer_has_no_paths_that_stand_out():
    graph, context = make_context("complex", attribution__preconditioner="none")
    queries = np.array([[head, 1, tail] for head, tail in combinations(range(9), 2)])
    influence = matrix(context, queries)
    p_values = []
    for triple, values in zip(queries, influence.T, strict=True):
        paths = find_paths(graph.splits[TRAIN], triple[0], triple[2], 3)
        p_values.append(permutation_test(paths, values[paths.edges], 19, np.random.default_rng(len(p_values)))[0])
    p_values = np.array(p_values)
    assert np.nanmean(p_values <= 0.05) < 0.15
    assert np.nanmean(p_values) > 0.4


def test_a_planted_path_comes_first_and_stands_out():
    paths, rng = wide(), np.random.default_rng(0)
    influence = rng.normal(size=len(paths.edges))
    three = np.flatnonzero(paths.groups[2] >= 0)
    path = three[len(three) // 2]
    planted = np.isin(paths.group, [paths.groups[0][path], paths.groups[1][path], paths.groups[2][path]])
    influence[planted] += 5
    scores, best = score_paths(paths, influence)
    assert np.argmax(scores) == path
    assert scores[path] == pytest.approx(np.mean([by_group(paths, influence)[part[path]] for part in rows(paths)]))
    assert (paths.group[best] == np.arange(paths.num_groups)).all()
    assert permutation_test(paths, influence, 99, rng)[0] < 0.05


def rows(paths):
    return paths.groups[0], paths.groups[1], paths.groups[2]


def test_the_edge_between_head_and_tail_says_nothing_of_longer_paths():
    train = drawn(1, count=90)
    train = train[~np.isin(train[:, [0, 2]], [0, 1]).all(axis=1)]
    train = np.concatenate([train, [[0, 0, 1]]])
    paths = find_paths(train, 0, 1, 3)
    rng = np.random.default_rng(0)
    influence = rng.normal(size=len(paths.edges))
    raised = influence + 100 * (paths.edges == len(train) - 1)
    assert permutation_test(paths, influence, 20, np.random.default_rng(0)) == permutation_test(
        paths, raised, 20, np.random.default_rng(0)
    )
    alone = find_paths(train, 0, 1, 1)
    assert np.isnan(permutation_test(alone, np.ones(1), 20, rng)).all()


def test_without_shuffles_there_is_no_p_value():
    paths = find_paths(drawn(1, count=60), 0, 1, 3)
    assert np.isnan(permutation_test(paths, np.ones(len(paths.edges)), 0, np.random.default_rng(0))).all()
