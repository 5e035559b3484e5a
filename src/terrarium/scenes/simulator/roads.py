"""Road networks of the simulator: arms around one junction, with lanes that fork, merge and turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

LANE_WIDTH_M = 3.5
JUNCTION_RADIUS_M = 14.0
FORK_LENGTH_M = 4.0
_STRAIGHT_RAD = np.pi / 4
"""Turns of less than this go straight on."""


class Pose(NamedTuple):
    """Position in metres and heading in radians."""

    x: float
    y: float
    heading: float


@dataclass(eq=False)
class Lane:
    """A lane, under construction; links are numbers of lanes.

    Attributes:
        line: centre line in metres, float64 (points, 2).
        intersection: whether it is inside the junction.
        entry: whether traffic enters the network here.
        arm: arm whose signal is at the lane's end, -1 for none.
        following, neighbour, opposite: linked lanes.
    """

    line: np.ndarray
    intersection: bool = False
    entry: bool = False
    arm: int = -1
    following: list[int] = field(default_factory=list)
    neighbour: list[int] = field(default_factory=list)
    opposite: list[int] = field(default_factory=list)

    @property
    def length(self) -> float:
        """Metres along the centre line."""
        return float(np.linalg.norm(np.diff(self.line, axis=0), axis=1).sum())

    @cached_property
    def distance(self) -> np.ndarray:
        """Metres along the centre line at each of its points."""
        return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(self.line, axis=0), axis=1))])

    def pose(self, s: float) -> Pose:
        """Return the pose at `s` metres along the lane, at most at its end."""
        s = min(s, self.distance[-1])
        k = min(int(np.searchsorted(self.distance, s, side="right")) - 1, len(self.line) - 2)
        step = self.line[k + 1] - self.line[k]
        x, y = self.line[k] + step * (s - self.distance[k]) / (self.distance[k + 1] - self.distance[k])
        return Pose(float(x), float(y), float(np.arctan2(step[1], step[0])))


@dataclass(frozen=True, eq=False)
class Roads:
    """A network: its lanes, how many arms meet, and whether there are signals."""

    name: str
    lanes: list[Lane]
    arms: int
    signals: bool

    def table(self) -> pd.DataFrame:
        """Return the lanes as `sources.traffic` requires them."""
        return pd.DataFrame(
            {
                "map": self.name,
                "lane": [str(i) for i in range(len(self.lanes))],
                "length_m": [lane.length for lane in self.lanes],
                "is_intersection": [lane.intersection for lane in self.lanes],
                **{
                    link: [[str(i) for i in getattr(lane, link)] for lane in self.lanes]
                    for link in ("following", "neighbour", "opposite")
                },
                "x_m": [lane.line[:, 0].round(2).tolist() for lane in self.lanes],
                "y_m": [lane.line[:, 1].round(2).tolist() for lane in self.lanes],
            }
        )


def make_roads(name: str, rng: np.random.Generator) -> Roads:
    """Make a network of two to four arms with one to three lanes per direction; two arms have no junction.

    The part of an arm next to the junction may have one lane more than the far part: the outermost lane forks towards
    the junction, and two lanes merge away from it. Every lane enters the junction by a short fork, where its turns
    begin.
    """
    arms = int(rng.choice([2, 3, 4, 4]))
    angles = np.arange(arms) * (np.pi if arms == 2 else np.pi / 2) + rng.uniform(0.0, 2.0 * np.pi)
    lanes: list[Lane] = []
    far = rng.integers(1, 3, size=arms)
    near = far + (rng.random(arms) < 0.6)
    lengths = rng.uniform((40.0, 70.0), (60.0, 110.0), size=(arms, 2))
    ends = [
        _arm(lanes, i, float(angles[i]), int(near[i]), int(far[i]), (float(lengths[i, 0]), float(lengths[i, 1])))
        for i in range(arms)
    ]
    forks = [_add_forks(lanes, into, junction=arms > 2) for into, _ in ends]
    straight: dict[tuple[int, int], int] = {}
    for i in range(arms):
        for j in range(arms):
            if i != j:
                turn = float(np.angle(np.exp(1j * (angles[j] - angles[i] - np.pi))))
                made = _connect(lanes, forks[i], ends[j][1], turn, junction=arms > 2)
                if abs(turn) < _STRAIGHT_RAD:
                    straight[i, j] = made[0]
    for (i, j), lane in straight.items():
        if (j, i) in straight:
            lanes[lane].opposite.append(straight[j, i])
    return Roads(name, lanes, arms, signals=arms > 2 and bool(rng.random() < 0.6))


def _arm(
    lanes: list[Lane], arm: int, angle: float, near: int, far: int, lengths: tuple[float, float]
) -> tuple[list[int], list[int]]:
    """Add an arm's lanes; return those that end and those that begin at the junction, from the middle outwards."""
    radii = (JUNCTION_RADIUS_M, JUNCTION_RADIUS_M + lengths[0], JUNCTION_RADIUS_M + sum(lengths))
    into = [_straight(lanes, angle, k, (radii[1], radii[0]), inward=True) for k in range(near)]
    out = [_straight(lanes, angle, k, (radii[0], radii[1]), inward=False) for k in range(near)]
    into_far = [_straight(lanes, angle, k, (radii[2], radii[1]), inward=True) for k in range(far)]
    out_far = [_straight(lanes, angle, k, (radii[1], radii[2]), inward=False) for k in range(far)]
    for k in range(near):
        lanes[into_far[min(k, far - 1)]].following.append(into[k])
        lanes[out[k]].following.append(out_far[min(k, far - 1)])
        lanes[into[k]].arm = arm
    for i in into_far:
        lanes[i].entry = True
    for group in (into, out, into_far, out_far):
        _link_neighbors(lanes, group)
    for one, other in ((into[0], out[0]), (into_far[0], out_far[0])):
        lanes[one].opposite.append(other)
        lanes[other].opposite.append(one)
    return into, out


def _straight(lanes: list[Lane], angle: float, k: int, radii: tuple[float, float], *, inward: bool) -> int:
    """Add the k-th lane from the middle, on the right-hand side of the road; return its number."""
    outward = np.array([np.cos(angle), np.sin(angle)])
    heading = -outward if inward else outward
    right = np.array([heading[1], -heading[0]])
    line = np.linspace(radii[0], radii[1], 6)[:, None] * outward + (k + 0.5) * LANE_WIDTH_M * right
    lanes.append(Lane(line))
    return len(lanes) - 1


def _link_neighbors(lanes: list[Lane], group: list[int]) -> None:
    for one, other in pairwise(group):
        lanes[one].neighbour.append(other)
        lanes[other].neighbour.append(one)


def _add_forks(lanes: list[Lane], into: list[int], *, junction: bool) -> list[int]:
    """Add the fork by which each lane enters the junction."""
    made = []
    for start in into:
        line = lanes[start].line
        heading = (line[-1] - line[0]) / np.linalg.norm(line[-1] - line[0])
        lanes.append(Lane(np.stack([line[-1], line[-1] + FORK_LENGTH_M * heading]), intersection=junction))
        lanes[start].following.append(len(lanes) - 1)
        made.append(len(lanes) - 1)
    _link_neighbors(lanes, made)
    return made


def _connect(lanes: list[Lane], into: list[int], out: list[int], turn: float, *, junction: bool) -> list[int]:
    """Add the lanes of a turn: all go straight on, the innermost turns left, the outermost right."""
    if abs(turn) < _STRAIGHT_RAD:
        pairs = [(i, out[min(k, len(out) - 1)]) for k, i in enumerate(into)]
    else:
        pairs = [(into[0], out[0])] if turn > 0 else [(into[-1], out[-1])]
    made = []
    for start, end in pairs:
        first, last = lanes[start].line[-1], lanes[end].line[0]
        lanes.append(Lane(_curve(first, last, lanes[start].line, lanes[end].line), intersection=junction))
        made.append(len(lanes) - 1)
        lanes[start].following.append(made[-1])
        lanes[made[-1]].following.append(end)
    _link_neighbors(lanes, made)
    return made


def _curve(first: np.ndarray, last: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return a quadratic Bézier curve that leaves and arrives in the directions of the lanes."""
    reach = np.linalg.norm(last - first) / 2
    ahead = before[-1] - before[-2]
    behind = after[1] - after[0]
    control = (first + ahead / np.linalg.norm(ahead) * reach + last - behind / np.linalg.norm(behind) * reach) / 2
    t = np.linspace(0.0, 1.0, 7)[:, None]
    return (1 - t) ** 2 * first + 2 * t * (1 - t) * control + t**2 * last
