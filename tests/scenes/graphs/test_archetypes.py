import numpy as np
import pandas as pd
import pytest

from terrarium.scenes.graphs.archetypes import label_graphs, signatures
from terrarium.scenes.graphs.columns import from_parts
from terrarium.scenes.labels.definitions import Definition, read_definitions
from terrarium.sources.traffic.tables import ACTOR_TYPES
from tests.scenes.scenery import graph, graphs_of

ARCHETYPES = read_definitions(None, "archetypes")


def drawn(archetype):
    columns = graph(" ".join(archetype.relations), "".join(archetype.lane_change), "".join(archetype.intersection))
    for user, kind in archetype.types.items():
        columns["actor_type"][archetype.road_users.index(user)] = ACTOR_TYPES.index(kind)
    return columns


def names_of(columns):
    row = label_graphs(from_parts([columns]), ARCHETYPES).iloc[0]
    return set(row.index[row])


@pytest.mark.parametrize("name", ARCHETYPES)
def test_an_archetype_is_found_in_itself(name):
    assert name in names_of(drawn(ARCHETYPES[name]))


def test_relations_are_told_apart():
    """A matcher that ignores relations finds all three in each."""
    found = label_graphs(graphs_of("a>b", "a~b", "a=b"), ARCHETYPES)
    assert np.array_equal(found[["simple_following", "simple_opposite", "simple_neighbor"]], np.eye(3, dtype=bool))


def test_direction_counts():
    chain, fork = names_of(graph("a>b b>c")), names_of(graph("a>b a>c"))
    assert "follower_and_leader" in chain
    assert "follower_and_leader" not in fork
    assert "lead_vehicle_in_front_following_vehicle_in_the_back" in fork - chain


def test_exact_archetypes_need_all_flags_and_others_only_those_named():
    moved = names_of(graph("a>b b>c", lane_change="a"))
    assert "follower_and_leader" in moved
    assert "fork_lane_change" not in names_of(graph("a>b a>c"))
    assert "fork_lane_change" in names_of(graph("a>b a>c", lane_change="c"))
    assert "fork_lane_change" not in names_of(graph("a>b a>c", lane_change="c", intersection="c"))


def test_matches_are_induced():
    """Two leaders that are joined themselves are not the pattern of two leaders."""
    assert "fork_lane_change" not in names_of(graph("a>b a>c b=c", lane_change="c"))


def test_signatures_number_sets_of_archetypes():
    numbers = signatures(label_graphs(graphs_of("a>b", "a=b", "c>d"), ARCHETYPES))
    assert numbers[0] == numbers[2] != numbers[1]


def test_a_range_of_criticality_is_asked_of_the_worst_pair_of_the_graph():
    worst = pd.DataFrame({"time_headway_s": [0.5, 2.0, np.nan]})
    definitions = {
        "close": Definition(definition="close", criticality={"time_headway_s": [0.0, 1.0]}),
        "close_follower": Definition(
            definition="close", relations=["a > b"], exact=False, criticality={"time_headway_s": [0.0, 2.0]}
        ),
    }
    found = label_graphs(graphs_of("a=b", "a>b", "a>b"), definitions, worst)
    assert found.to_numpy().tolist() == [[True, False], [False, True], [False, False]]


def test_a_pattern_may_be_one_road_user():
    lane_change = {"moved": Definition(definition="someone", lane_change=["a"], exact=False)}
    graphs = from_parts([graph("a>b"), graph("a>b", lane_change="b")])
    assert label_graphs(graphs, lane_change)["moved"].tolist() == [False, True]
