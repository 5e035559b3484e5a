"""Groups of drivers that start at a fork, so that rare archetypes occur.

A site is a short piece of lane at the junction (the fork) with two of its branches. A stage puts drivers there: one
before or in the fork, one on each branch, one on the adjacent lane, one in the opposite direction. Most of them stand
still, so that the pattern lasts for seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations
from typing import NamedTuple

import numpy as np

from terrarium.scenes.simulator.roads import Roads

_LANE_CHANGE_PROB = 0.75
"""Probability that a group includes its lane change; otherwise it is the same group without."""


class Post(NamedTuple):
    """Where a driver of a group starts.

    Attributes:
        lane, s: number of the lane and metres along it.
        speed: m/s.
        planned_lane: lane that the driver changes to at once, -1 for none.
    """

    lane: int
    s: float
    speed: float = 0.0
    planned_lane: int = -1


class Stage(NamedTuple):
    """A group: the arm that it comes from, -1 without a group, and its drivers."""

    arm: int
    posts: list[Post]


@dataclass(frozen=True)
class Site:
    """A fork and the lanes around it; lanes are numbers, -1 for none.

    Attributes:
        fork, before: the short piece at the junction, and the lane that ends in it.
        branches, beyond: two lanes inside the junction, and those that follow them.
        opposite: the lane opposite to the first lane beyond.
        is_opposite_apart: it leads to neither lane beyond, so that its drivers follow nobody of the group.
        adjacent: the lane next to `before` that leads to neither lane beyond.
    """

    fork: int
    before: int
    branches: tuple[int, int]
    beyond: tuple[int, int]
    opposite: int
    is_opposite_apart: bool
    adjacent: int


def find_sites(roads: Roads) -> list[Site]:
    """Return all sites of a network, in a fixed order."""
    lanes, sites = roads.lanes, []
    for fork, lane in enumerate(lanes):
        if not lane.intersection or len(lane.following) < 2:
            continue
        before = next(i for i, other in enumerate(lanes) if fork in other.following)
        for branches in permutations(lane.following, 2):
            beyond = (lanes[branches[0]].following[0], lanes[branches[1]].following[0])
            opposite = next(iter(lanes[beyond[0]].opposite), -1)
            adjacent = (i for i in lanes[before].neighbour if not _exits(roads, i) & set(beyond))
            sites.append(
                Site(
                    fork=fork,
                    before=before,
                    branches=branches,
                    beyond=beyond,
                    opposite=opposite,
                    is_opposite_apart=opposite >= 0 and not _exits(roads, opposite) & set(beyond),
                    adjacent=next(adjacent, -1),
                )
            )
    return sites


def _exits(roads: Roads, lane: int) -> set[int]:
    """Return the lanes beyond the junction that a lane before it leads to."""
    lanes = roads.lanes
    return {
        end for fork in lanes[lane].following for branch in lanes[fork].following for end in lanes[branch].following
    }


def fork_lane_change(roads: Roads, site: Site, rng: np.random.Generator) -> list[Post]:
    """Stage a cut-in: a driver follows two, one of whom has just changed lane."""
    neighbors = roads.lanes[site.beyond[1]].neighbour
    if not neighbors:
        return []
    s = rng.uniform(13.0, 17.0)
    return [
        _near_end(roads, site.before, rng),
        Post(site.beyond[0], rng.uniform(13.0, 17.0)),
        Post(neighbors[0], s, planned_lane=site.beyond[1]),
    ]


def fork_lane_change_intersection(roads: Roads, site: Site, rng: np.random.Generator) -> list[Post]:
    """Stage the same with the second leader in the junction, and opposite traffic.

    Without the lane change it is a platoon of four with opposite traffic.
    """
    neighbors = roads.lanes[site.branches[1]].neighbour
    if not neighbors or site.opposite < 0:
        return []
    s = roads.lanes[site.branches[1]].length * rng.uniform(0.3, 0.5)
    return [
        _near_end(roads, site.before, rng),
        Post(site.beyond[0], rng.uniform(13.5, 15.0)),
        Post(neighbors[0], s, planned_lane=site.branches[1]) if _changes_lane(rng) else Post(site.branches[1], s),
        _near_end(roads, site.opposite, rng),
    ]


def cut_out(roads: Roads, site: Site, rng: np.random.Generator) -> list[Post]:
    """Stage a cut-out: a driver follows two, another one behind pulls out to pass, with opposite traffic.

    Without the lane change the fourth driver is on the adjacent lane from the start.
    """
    if site.adjacent < 0 or not site.is_opposite_apart:
        return []
    first = _near_end(roads, site.before, rng)
    passing = Post(site.before, first.s - rng.uniform(7.0, 9.0), speed=3.0, planned_lane=site.adjacent)
    return [
        first,
        *(Post(lane, rng.uniform(13.5, 15.0)) for lane in site.beyond),
        passing if _changes_lane(rng) else Post(site.adjacent, first.s - rng.uniform(0.0, 3.0)),
        _near_end(roads, site.opposite, rng),
    ]


def cut_out_intersection(roads: Roads, site: Site, rng: np.random.Generator) -> list[Post]:
    """Stage the same inside the junction."""
    if site.adjacent < 0 or not site.is_opposite_apart:
        return []
    passing = Post(
        site.before, roads.lanes[site.before].length - rng.uniform(5.0, 5.5), speed=6.5, planned_lane=site.adjacent
    )
    adjacent_fork = roads.lanes[site.adjacent].following[0]
    return [
        Post(site.fork, rng.uniform(0.1, 0.5)),
        *(Post(lane, rng.uniform(13.5, 15.0)) for lane in site.beyond),
        passing if _changes_lane(rng) else Post(adjacent_fork, rng.uniform(0.1, 0.5)),
        _near_end(roads, site.opposite, rng),
    ]


def platoon(roads: Roads, site: Site, rng: np.random.Generator) -> list[Post]:
    """Stage four drivers in a row, the second from the front in the junction."""
    last = _near_end(roads, site.before, rng)
    return [
        Post(site.before, last.s - rng.uniform(8.0, 12.0)),
        last,
        Post(site.branches[0], roads.lanes[site.branches[0]].length * rng.uniform(0.3, 0.5)),
        Post(site.beyond[0], rng.uniform(5.0, 12.0)),
    ]


STAGES: dict[str, Callable[[Roads, Site, np.random.Generator], list[Post]]] = {
    "fork_lane_change": fork_lane_change,
    "fork_lane_change_intersection": fork_lane_change_intersection,
    "cut_out": cut_out,
    "cut_out_intersection": cut_out_intersection,
    "four_vehicle_intersection_platoon": platoon,
}
"""By the archetype that each is for; a function returns no posts where a site does not allow it."""


def make_stage(stage: str, roads: Roads, rng: np.random.Generator) -> Stage:
    """Place a group at a random site that allows it; no posts if there is none."""
    possible = [site for site in find_sites(roads) if STAGES[stage](roads, site, np.random.default_rng(0))]
    if not possible:
        return Stage(-1, [])
    site = possible[int(rng.integers(len(possible)))]
    return Stage(roads.lanes[site.before].arm, STAGES[stage](roads, site, rng))


def _changes_lane(rng: np.random.Generator) -> bool:
    return bool(rng.random() < _LANE_CHANGE_PROB)


def _near_end(roads: Roads, lane: int, rng: np.random.Generator) -> Post:
    """Return a post some metres before the end of a lane, which a starting driver does not reach in two seconds."""
    return Post(lane, roads.lanes[lane].length - rng.uniform(3.5, 4.5))
