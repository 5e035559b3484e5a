import numpy as np
import pytest

from terrarium.scenes.graphs.archetypes import ARCHETYPES, NAMES, label_graphs, signatures
from terrarium.scenes.graphs.columns import from_parts
from terrarium.sources.traffic.tables import ACTOR_TYPES
from tests.scenes.scenery import graph, graphs_of


def drawn(archetype):
    columns = graph(archetype.relations, archetype.lane_change, archetype.intersection)
    for user, kind in archetype.actor_types:
        columns["actor_type"][archetype.road_users.index(user)] = ACTOR_TYPES.index(kind)
    return columns


def names_of(columns):
    row = label_graphs(from_parts([columns])).iloc[0]
    return set(row.index[row])


@pytest.mark.parametrize("archetype", ARCHETYPES, ids=NAMES)
def test_an_archetype_is_found_in_itself(archetype):
    assert archetype.name in names_of(drawn(archetype))


def test_relations_are_told_apart():
    """A matcher that ignores relations finds all three in each."""
    found = label_graphs(graphs_of("a>b", "a~b", "a=b"))[["simple_following", "simple_opposite", "simple_neighbor"]]
    assert np.array_equal(found.to_numpy(), np.eye(3, dtype=bool))


def test_direction_counts():
    chain, fork = names_of(graph("a>b b>c")), names_of(graph("a>b a>c"))
    assert "follower_and_leader" in chain
    assert "follower_and_leader" not in fork
    assert "lead_vehicle_in_front_following_vehicle_in_the_back" in fork - chain


def test_exact_archetypes_need_all_flags_and_others_only_those_named():
    moved = names_of(graph("a>b b>c", lane_change="a"))
    assert "follower_and_leader" in moved
    assert "cut_in" not in names_of(graph("a>b a>c"))
    assert "cut_in" in names_of(graph("a>b a>c", lane_change="c"))
    assert "cut_in" not in names_of(graph("a>b a>c", lane_change="c", intersection="c"))


def test_matches_are_induced():
    """Two leaders that are joined themselves are not the pattern of two leaders."""
    assert "cut_in" not in names_of(graph("a>b a>c b=c", lane_change="c"))


def test_signatures_number_sets_of_archetypes():
    labels = label_graphs(graphs_of("a>b", "a=b", "c>d"))
    numbers = signatures(labels)
    assert numbers[0] == numbers[2] != numbers[1]


def test_eighteen_archetypes_are_exact():
    assert sum(archetype.is_exact for archetype in ARCHETYPES) == 18
    assert len(set(NAMES)) == len(NAMES)
