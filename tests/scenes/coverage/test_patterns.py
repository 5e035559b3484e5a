import numpy as np
import pytest

from terrarium.scenes.coverage.patterns import Pattern, describe_pattern, find_patterns, locate_pattern
from terrarium.scenes.graphs.columns import from_parts
from terrarium.scenes.graphs.scene_graph import FOLLOWING_LEAD, LEADING_VEHICLE, NEIGHBOR_VEHICLE
from tests.scenes.scenery import graph, graphs, graphs_of

CYCLIST, MOVING = 8, 2


def test_patterns_are_types_relations_and_surroundings():
    found = find_patterns(graphs_of("a>b", "a>b", "a=b"))
    table = found.table.toarray()
    assert np.array_equal(table[0], table[1])
    assert table.sum(axis=1).tolist() == [5.0, 5.0, 3.0]
    assert (table[0] * table[2]).sum() == 1.0


def test_small_patterns_come_first_and_following_before_leading():
    patterns = find_patterns(graphs_of("a>b b>c c>d")).patterns
    sizes = [len(pattern.steps) for pattern in patterns]
    assert sizes == sorted(sizes)
    assert [pattern.steps[0][0] for pattern in patterns[1:3]] == [FOLLOWING_LEAD, LEADING_VEHICLE]
    assert any(pattern.is_row for pattern in patterns)


def test_every_pattern_is_located_in_the_graphs_that_have_it_and_in_no_other():
    every = graphs()
    found = find_patterns(every)
    rng = np.random.default_rng(0)
    table = found.table.tocsr()
    for row in rng.integers(len(every), size=8):
        one = from_parts([every.graph(int(row))])
        own = set(table[[row]].indices.tolist())
        for column in [*own, *rng.integers(len(found.patterns), size=5).tolist()]:
            nodes = locate_pattern(one, found.patterns[column])
            assert bool(nodes) == (column in own)
            assert len(set(nodes)) == len(nodes) == (len(found.patterns[column].steps) + 1 if nodes else 0)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (Pattern(CYCLIST + 1), "cyclist in a junction"),
        (Pattern(MOVING, ((FOLLOWING_LEAD, CYCLIST),)), "vehicle changing lane following a cyclist"),
        (
            Pattern(0, ((FOLLOWING_LEAD, 0), (NEIGHBOR_VEHICLE, CYCLIST))),
            "vehicle following a vehicle and next to a cyclist",
        ),
        (
            Pattern(0, ((NEIGHBOR_VEHICLE, 0), (NEIGHBOR_VEHICLE, 0)), is_whole=True),
            "vehicle next to 2 × vehicle and nobody else",
        ),
        (
            Pattern(0, ((FOLLOWING_LEAD, 0), (FOLLOWING_LEAD, CYCLIST)), is_row=True),
            "vehicle following a vehicle that is following a cyclist",
        ),
    ],
)
def test_patterns_have_plain_names(pattern, words):
    assert describe_pattern(pattern) == words


def test_the_road_user_that_a_pattern_is_about_comes_first():
    one = from_parts([graph("a>b b>c", lane_change="b")])
    assert locate_pattern(one, Pattern(MOVING, ((FOLLOWING_LEAD, 0), (LEADING_VEHICLE, 0)))) == [1, 2, 0]
