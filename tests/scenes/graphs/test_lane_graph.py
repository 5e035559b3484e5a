import pandas as pd

from terrarium.scenes.graphs.lane_graph import LEAD, NEIGHBOR, NONE, OPPOSITE, lane_graph


def road():
    """Two lanes one way (a0 then a1; b0 next to a0 then b1), one against (c0, then c1 behind a0's start)."""
    links = {
        "a0": (["a1"], ["b0"], ["c0"]), "a1": ([], [], []), "b0": (["b1"], ["a0"], []), "b1": ([], [], []),
        "c0": (["c1"], [], ["a0"]), "c1": ([], [], []),
    }  # fmt: skip
    rows = [(name, 100.0, name == "a1", *found) for name, found in links.items()]
    columns = ["lane", "length_m", "is_intersection", "following", "neighbour", "opposite"]
    return lane_graph(pd.DataFrame(rows, columns=columns))


def relation(graph, one, other):
    place = graph.row[one], graph.row[other]
    return graph.relation[place], graph.offset[place]


def test_paths_that_only_follow_add_the_lanes_between():
    assert relation(road(), "a0", "a1") == (LEAD, 100.0)
    assert relation(road(), "a0", "a0") == (LEAD, 0.0)
    assert relation(road(), "a1", "a0") == (NONE, 0.0)


def test_one_hop_to_the_side_is_a_neighbour_also_further_on():
    assert relation(road(), "a0", "b0") == (NEIGHBOR, 0.0)
    assert relation(road(), "a0", "b1") == (NEIGHBOR, 100.0)


def test_an_opposite_lane_is_measured_from_its_end():
    """s on a0 and s' on c0 are 100 - s - s' apart; beyond c0 its successor is behind."""
    assert relation(road(), "a0", "c0") == (OPPOSITE, 100.0)
    assert relation(road(), "a0", "c1") == (OPPOSITE, 0.0)


def test_two_hops_to_the_side_are_no_relation():
    assert relation(road(), "b0", "c0")[0] == NONE


def test_flags_and_hops():
    graph = road()
    assert graph.intersection[graph.row["a1"]]
    assert graph.hops[graph.row["b0"], graph.row["a1"]] == 2
