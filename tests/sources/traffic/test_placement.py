import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from terrarium.sources.traffic.placement import (
    LARGEST_OFFSET_M,
    LaneLines,
    Positions,
    best_sequence,
    middle_line,
    near_lanes,
    place_road_users,
)
from terrarium.sources.traffic.polylines import project_points

PARALLEL = LaneLines(
    lines=[np.array([[0.0, y], [100.0, y]]) for y in (0.0, 3.5)], following=[[], []], is_bike=np.array([False, False])
)


def drive(y, kind="vehicle", x=None, heading=0.0, step=0.1):
    x = np.linspace(0.0, 90.0, len(y)) if x is None else x
    count = len(y)
    return Positions(
        np.zeros(count, np.int64), np.full(count, kind, object), np.arange(count) * step, np.stack([x, y], axis=1),
        np.full(count, heading),
    )  # fmt: skip


@given(
    cost=st.integers(1, 5).flatmap(lambda k: arrays(float, (4, k), elements=st.floats(0, 9))), switch=st.floats(0, 9)
)
def test_the_sequence_is_the_cheapest_of_all(cost, switch):
    count = cost.shape[1]
    change = switch * (1 - np.eye(count))

    def total(states):
        return sum(cost[t, s] for t, s in enumerate(states)) + sum(change[a, b] for a, b in itertools.pairwise(states))

    cheapest = min(total(states) for states in itertools.product(range(count), repeat=4))
    assert total(best_sequence(cost, change)) == pytest.approx(cheapest)


@given(
    lines=st.lists(arrays(float, (3, 2), elements=st.floats(-200, 200)), min_size=1, max_size=8),
    place=arrays(float, (4, 2), elements=st.floats(-200, 200)),
    wrong=st.integers(0, 255),
)
def test_no_lane_that_could_be_chosen_is_left_out(lines, place, wrong):
    """Whatever lanes run against the road user or are for bicycles, which costs the largest offset."""
    boxes = np.array([[*line.min(axis=0), *line.max(axis=0)] for line in lines])
    distance = np.stack([project_points(place, line)[1] for line in lines], axis=1)
    cost = distance + LARGEST_OFFSET_M * np.array([wrong >> lane & 1 for lane in range(len(lines))])
    needed = np.flatnonzero((cost < cost.min(axis=1, keepdims=True) + 10.0).any(axis=0))
    assert set(needed.tolist()) <= set(near_lanes(place, lines, boxes).tolist())


def test_lanes_far_away_are_not_looked_at():
    far = [line + 1000.0 for line in PARALLEL.lines] * 50
    boxes = np.array([[*line.min(axis=0), *line.max(axis=0)] for line in PARALLEL.lines + far])
    assert near_lanes(np.array([[5.0, 0.0], [80.0, 3.0]]), PARALLEL.lines + far, boxes).tolist() == [0, 1]


def test_who_drives_between_two_lanes_does_not_flicker():
    y = 1.75 + 0.3 * np.sin(np.arange(60))
    lane = place_road_users(drive(y), PARALLEL).lane
    nearest = (y > 1.75).astype(int)
    assert np.abs(np.diff(nearest)).sum() > 10
    assert len(set(lane.tolist())) == 1


def test_a_real_change_of_lane_is_seen_where_it_happens():
    y = np.concatenate([np.zeros(30), np.linspace(0.0, 3.5, 20), np.full(30, 3.5)])
    lane = place_road_users(drive(y), PARALLEL).lane
    assert lane[:38].tolist() == [0] * 38
    assert lane[42:].tolist() == [1] * 38


def test_at_a_fork_the_branch_that_is_driven_on_later_is_taken():
    bend = np.array([[50.0, 0.0], [60.0, 0.5], [100.0, 20.0]])
    fork = LaneLines(
        lines=[np.array([[0.0, 0.0], [50.0, 0.0]]), np.array([[50.0, 0.0], [100.0, 0.0]]), bend],
        following=[[1, 2], [], []], is_bike=np.zeros(3, bool),
    )  # fmt: skip
    x = np.linspace(0.0, 100.0, 101)
    lane = place_road_users(drive(np.interp(x, bend[:, 0], bend[:, 1]), x=x), fork).lane
    assert set(lane.tolist()) == {0, 2}


def test_vehicles_are_not_put_on_bicycle_lanes_and_cyclists_are():
    lanes = LaneLines(PARALLEL.lines, PARALLEL.following, np.array([False, True]))
    y = np.full(20, 2.0)
    assert set(place_road_users(drive(y), lanes).lane.tolist()) == {0}
    assert set(place_road_users(drive(y, "cyclist"), lanes).lane.tolist()) == {1}


def test_who_is_off_the_lanes_or_parked_is_kept_and_flagged():
    still = np.full(20, 30.0)
    for y, kind, place in (
        (-2.0, "vehicle", "parked"), (-1.0, "vehicle", "lane"), (-2.0, "pedestrian", "lane"),
        (-9.0, "pedestrian", "off_lane"), (-9.0, "vehicle", "parked"),
    ):  # fmt: skip
        placed = place_road_users(drive(np.full(20, y), kind, x=still), PARALLEL)
        assert set(placed.place) == {place}
        assert placed.s == pytest.approx(30.0)


def test_a_parked_vehicle_whose_position_jumps_is_parked_and_one_that_leaves_its_place_is_not():
    """As on recordings of a camera that sees a part of it."""
    jumps = np.where(np.arange(40) < 36, 30.0, 33.0)
    leaves = np.where(np.arange(40) < 30, 30.0, 30.0 + np.arange(40) - 30.0)
    for x, place in ((jumps, {"parked"}), (leaves, {"lane"})):
        assert set(place_road_users(drive(np.full(40, -2.0), x=x), PARALLEL).place) == place


def test_against_the_direction_costs_so_that_the_other_lane_is_taken():
    lanes = LaneLines([PARALLEL.lines[0], PARALLEL.lines[1][::-1]], [[], []], PARALLEL.is_bike)
    y = np.full(20, 1.0)
    assert set(place_road_users(drive(y, heading=np.pi), lanes).lane.tolist()) == {1}


def test_the_middle_of_two_boundaries():
    left, right = np.array([[0.0, 2.0], [10.0, 2.0]]), np.array([[0.0, -2.0], [4.0, -2.0], [10.0, -2.0]])
    assert middle_line(left, right, 3).tolist() == [[0.0, 0.0], [5.0, 0.0], [10.0, 0.0]]
