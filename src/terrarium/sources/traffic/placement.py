"""Which lane each road user of a recording is on, if the recording does not say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.sources.traffic.polylines import project_points

LARGEST_OFFSET_M = 3.0
"""A road user further than this from the centre line of its lane is off the lanes."""
PARKED_BELOW_M, LARGEST_JITTER_M = 1.0, 5.0
"""A vehicle stands still if the middle half of its positions covers less than the first, and all less than the second:
positions of half hidden vehicles jump, and a vehicle that leaves its place drives further than a car is long."""
PARKED_BEYOND_M = 1.5
"""A vehicle that stands still further than this from the centre line is parked beside the lane; a nearer one waits."""
SWITCH_COST = 1.0
"""Metres times seconds: a road user is on another lane only if that is nearer by this in total."""
_SEARCH_M = 10.0
"""Lanes further away than this from a whole track are no candidates."""
_FAR = 1e6


@dataclass(frozen=True, eq=False)
class LaneLines:
    """Lanes of a map.

    Attributes:
        lines: vertices of each centre line, x and y in metres, (k, 2) each.
        following: rows of the lanes that follow each lane.
        is_bike: whether a lane is for bicycles only, bool (lanes,).
    """

    lines: list[Float64Array]
    following: list[list[int]]
    is_bike: np.ndarray


@dataclass(frozen=True, eq=False)
class Positions:
    """Where road users are; rows in any order.

    Attributes:
        actor: number of the road user (n,).
        type: of the road user, as in ACTOR_TYPES (n,).
        time_s: seconds (n,).
        place: x and y in metres (n, 2).
        heading: radians (n,).
    """

    actor: Int64Array
    type: np.ndarray
    time_s: Float64Array
    place: Float64Array
    heading: Float64Array


@dataclass(frozen=True, eq=False)
class Placement:
    """Lanes of road users.

    Attributes:
        lane: row of the lane (n,).
        s: metres along it (n,).
        place: lane, parked or off_lane, see `tables.PLACES` (n,).
    """

    lane: Int64Array
    s: Float64Array
    place: np.ndarray


def place_road_users(positions: Positions, lanes: LaneLines) -> Placement:
    """Return the lane of each row, and whether the road user is on it.

    A lane costs its distance in metres; against its direction, and for a vehicle on a bicycle lane,
    `LARGEST_OFFSET_M` more. Each road user takes the sequence of lanes with the smallest cost over time, where going on
    along the lanes is free and every other change of lane costs `SWITCH_COST` (Viterbi 1967). So a road user between
    two lanes does not flicker, and one at a fork takes the branch that it drives on later.

    Args:
        positions: of all road users of a recording.
        lanes: of its map, at least one.
    """
    boxes = np.array([[*line.min(axis=0), *line.max(axis=0)] for line in lanes.lines])
    lane, s = np.zeros(len(positions.actor), np.int64), np.zeros(len(positions.actor))
    place = np.full(len(positions.actor), "lane", object)
    for rows in _tracks(positions):
        step = float(np.median(np.diff(positions.time_s[rows]))) if len(rows) > 1 else 1.0
        candidates = near_lanes(positions.place[rows], lanes.lines, boxes)
        along, distance, cost = _costs(positions, rows, lanes, candidates)
        kept = np.flatnonzero((cost < cost.min(axis=1, keepdims=True) + _SEARCH_M).any(axis=0))
        follows = _follows(candidates[kept], lanes.following)
        chosen = kept[best_sequence(cost[:, kept], np.where(follows, 0.0, SWITCH_COST / max(step, 1e-3)))]
        row = np.arange(len(rows))
        lane[rows], s[rows], offset = candidates[chosen], along[row, chosen], distance[row, chosen]
        if (
            _stands_still(positions.place[rows])
            and positions.type[rows[0]] == "vehicle"
            and np.median(offset) > PARKED_BEYOND_M
        ):
            place[rows] = "parked"
        else:
            place[rows[offset > LARGEST_OFFSET_M]] = "off_lane"
    return Placement(lane, s, place)


def near_lanes(place: Float64Array, lines: list[Float64Array], boxes: Float64Array) -> Int64Array:
    """Return the lanes that may be candidates of a track, ascending: all whose cost is within `_SEARCH_M` of the least.

    A lane is at least as far away as the box around it, so most lanes of a large map need no projection.

    Args:
        place: x and y in metres of the track (n, 2).
        lines: vertices of each lane.
        boxes: smallest x and y and largest x and y of each lane (lanes, 4).
    """
    outside = np.maximum(boxes[None, :, :2] - place[:, None], place[:, None] - boxes[None, :, 2:])
    at_least = np.linalg.norm(np.maximum(outside, 0.0), axis=2)
    nearest = at_least.argmin(axis=1)
    at_most = np.zeros(len(place))
    for lane in np.unique(nearest):
        rows = nearest == lane
        at_most[rows] = project_points(place[rows], lines[lane])[1] + LARGEST_OFFSET_M
    return np.flatnonzero((at_least <= at_most[:, None] + _SEARCH_M).any(axis=0))


def best_sequence(cost: Float64Array, switch: Float64Array) -> Int64Array:
    """Return the states with the smallest sum of costs and switches (t,), by dynamic programming.

    Args:
        cost: of each state at each time (t, k).
        switch: from each state to each at the next time (k, k).
    """
    total, choices = cost[0], np.zeros(cost.shape, np.int64)
    columns = np.arange(cost.shape[1])
    for time in range(1, len(cost)):
        through = total[:, None] + switch
        choices[time] = through.argmin(axis=0)
        total = through[choices[time], columns] + cost[time]
    states = np.zeros(len(cost), np.int64)
    states[-1] = int(total.argmin())
    for time in range(len(cost) - 1, 0, -1):
        states[time - 1] = choices[time, states[time]]
    return states


def middle_line(left: Float64Array, right: Float64Array, points: int = 10) -> Float64Array:
    """Return the middle between two boundaries at equal fractions of their lengths (points, 2)."""
    sides = []
    for line in (left, right):
        along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
        at = np.linspace(0.0, along[-1], points)
        sides.append(np.stack([np.interp(at, along, line[:, axis]) for axis in range(2)], axis=1))
    return np.asarray((sides[0] + sides[1]) / 2, np.float64)


def _costs(
    positions: Positions, rows: Int64Array, lanes: LaneLines, candidates: Int64Array
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Return metres along each candidate, distance from it, and its cost, (rows, candidates) each."""
    found = [project_points(positions.place[rows], lanes.lines[lane]) for lane in candidates]
    along, distance, direction = (np.stack(columns, axis=1) for columns in zip(*found, strict=True))
    against = np.cos(positions.heading[rows, None] - direction) < 0.0
    is_motor = np.isin(positions.type[rows], ("vehicle", "motorcycle"))
    wrong = against | (is_motor[:, None] & lanes.is_bike[candidates])
    return along, distance, np.minimum(distance + np.where(wrong, LARGEST_OFFSET_M, 0.0), _FAR)


def _stands_still(place: Float64Array) -> bool:
    low, high = np.quantile(place, 0.25, axis=0), np.quantile(place, 0.75, axis=0)
    return bool((high - low).max() < PARKED_BELOW_M and np.ptp(place, axis=0).max() < LARGEST_JITTER_M)


def _tracks(positions: Positions) -> list[Int64Array]:
    """Return the rows of each road user in the order of time."""
    order = np.lexsort((positions.time_s, positions.actor))
    starts = np.flatnonzero(np.diff(positions.actor[order], prepend=positions.actor[order][:1] - 1))
    return np.split(order, starts[1:])


def _follows(candidates: Int64Array, following: list[list[int]]) -> np.ndarray:
    """Return whether each candidate is the same as, or one or two lanes after, another one, bool (k, k)."""
    reached = []
    for lane in candidates.tolist():
        after = {lane, *following[lane]}
        after |= {further for one in following[lane] for further in following[one]}
        reached.append(np.isin(candidates, sorted(after)))
    return np.stack(reached)
