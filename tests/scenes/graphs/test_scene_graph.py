import numpy as np

from terrarium.scenes.graphs.scene_graph import (
    FOLLOWING_LEAD,
    LEADING_VEHICLE,
    NEIGHBOR_VEHICLE,
    OPPOSITE_VEHICLE,
    Placement,
    build_relations,
    component_numbers,
)
from tests.scenes.graphs.test_lane_graph import road
from tests.scenes.scenery import options

LIMITS = options().features.graphs


def edges_of(*users, limits=LIMITS):
    """Edges between road users given as (lane, s); the road is straight, the opposite lane runs back."""
    graph = road()
    lane = np.array([graph.row[name] for name, _ in users])
    s = np.array([place for _, place in users], float)
    x = [100.0 - p if name == "c0" else p + 100.0 * name.endswith("1") for name, p in users]
    place = np.stack([np.array(x), np.zeros(len(users))], axis=1)
    found, lengths = build_relations(Placement(lane, s, place), graph, limits)
    return {tuple(edge) for edge in found.tolist()}, dict(zip(map(tuple, found.tolist()), lengths, strict=True))


def test_follower_and_leader_have_relations_of_their_own():
    edges, lengths = edges_of(("a0", 10), ("a0", 40))
    assert edges == {(0, 1, FOLLOWING_LEAD), (1, 0, LEADING_VEHICLE)}
    assert set(lengths.values()) == {30.0}


def test_limits_hold_and_are_open():
    assert edges_of(("a0", 0), ("a0", 50))[0] == set()
    assert len(edges_of(("a0", 0), ("a0", 49.9))[0]) == 2
    assert edges_of(("a0", 0), ("b0", 21))[0] == set()
    assert len(edges_of(("b0", 0), ("a0", 19))[0]) == 2


def test_the_way_over_the_end_of_a_lane_counts():
    edges, lengths = edges_of(("a0", 90), ("a1", 5))
    assert (0, 1, FOLLOWING_LEAD) in edges
    assert lengths[0, 1, FOLLOWING_LEAD] == 15.0


def test_neighbour_and_opposite_go_both_ways():
    assert edges_of(("a0", 10), ("b0", 12))[0] == {(0, 1, NEIGHBOR_VEHICLE), (1, 0, NEIGHBOR_VEHICLE)}
    edges, lengths = edges_of(("a0", 10), ("c0", 60))
    assert edges == {(0, 1, OPPOSITE_VEHICLE), (1, 0, OPPOSITE_VEHICLE)}
    assert set(lengths.values()) == {30.0}


def test_opposite_traffic_that_has_passed_counts_for_a_shorter_way():
    assert len(edges_of(("a0", 50), ("c0", 59))[0]) == 2
    assert edges_of(("a0", 50), ("c0", 61))[0] == set()


def test_a_short_path_makes_a_longer_relation_superfluous():
    edges, _ = edges_of(("a0", 0), ("a0", 20), ("a0", 40))
    assert {(one, other) for one, other, kind in edges if kind == FOLLOWING_LEAD} == {(0, 1), (1, 2)}
    none = LIMITS.model_copy(update={"redundant_lead_hops": 0})
    assert (0, 2, FOLLOWING_LEAD) in edges_of(("a0", 0), ("a0", 20), ("a0", 40), limits=none)[0]


def test_nobody_alone_has_a_relation_and_components_are_numbered():
    assert edges_of(("a0", 0))[0] == set()
    edges = np.array([[0, 3, 0], [3, 0, 1], [1, 2, 2], [2, 1, 2]])
    assert component_numbers(5, edges).tolist() == [0, 1, 1, 0, 2]
    assert component_numbers(1, np.zeros((0, 3), np.int64)).tolist() == [0]
