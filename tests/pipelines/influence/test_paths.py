from itertools import pairwise, permutations

import numpy as np

from terrarium.pipelines.influence.paths import candidates, chance, path_scores


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
    found = []
    for count in range(length):
        for middle in permutations(inner, count):
            steps = [frozenset(step) for step in pairwise((head, *middle, tail))]
            if all(step in best for step in steps):
                found.append(np.mean([best[step] for step in steps]))
    return sorted(found)


def test_paths_are_all_simple_paths_with_the_best_of_parallel_edges():
    for seed in range(8):
        train = drawn(seed)
        influence = np.random.default_rng(seed + 100).normal(size=len(train))
        for length in (1, 2, 3):
            found = candidates(train, 0, 1, length)
            expected = by_hand(train, 0, 1, length, influence)
            assert len(found) == len(expected)
            if expected:
                scores, _ = path_scores(found, influence[found.edges])
                assert np.allclose(np.sort(scores), expected)


def test_every_edge_of_the_candidates_stands_on_a_path():
    train = drawn(3)
    found = candidates(train, 0, 1, 3)
    used = np.unique(np.concatenate([found.first, found.middle, found.last]))
    assert set(used) - {-1} == set(range(found.groups)) == set(found.group)


def test_a_planted_path_stands_out_and_chance_does_not():
    train = drawn(1, count=60)
    found = candidates(train, 0, 1, 2)
    rng = np.random.default_rng(0)
    flat = rng.normal(size=len(found.edges))
    p_values = [chance(found, rng.permutation(flat), 50, rng)[0] for _ in range(40)]
    assert 0.3 < np.mean(p_values) < 0.7
    assert min(p_values) >= 1 / 51
