"""Groups of drivers that start at a fork so that they hold the archetypes which traffic seldom makes by itself.

A site is a short piece of lane at a junction (the fork) with two of its ways. A stage puts drivers there: one before
or in the fork, one on each way, one beside, one facing. All stand still, so that the pattern holds for seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from terrarium.scenes.simulator.roads import Roads

_CHANGING = 0.75
"""Share of the groups with a change of lane; the others show the same without."""


@dataclass(frozen=True)
class Post:
    """A driver of a group: where it starts, how fast, and the lane that it changes to at once (-1: none)."""

    lane: int
    s: float
    speed: float = 0.0
    target: int = -1


@dataclass(frozen=True)
class Site:
    """A fork and the lane before it, two of its ways, the lanes beyond them, and who may face or come from beside.

    Attributes:
        fork, before: the short piece at the junction, and the lane that ends in it.
        ways, beyond: two lanes in the junction, and those that follow them.
        facing: the lane opposite to the first lane beyond, or -1.
        apart: it leads to neither lane beyond, so that who faces the group follows nobody of it.
        beside: the lane beside `before` that shares no way with it, or -1.
    """

    fork: int
    before: int
    ways: tuple[int, int]
    beyond: tuple[int, int]
    facing: int
    apart: bool
    beside: int


def sites(roads: Roads) -> list[Site]:
    """All of a network, in a fixed order."""
    lanes, found = roads.lanes, []
    for fork, lane in enumerate(lanes):
        if not lane.intersection or len(lane.following) < 2:
            continue
        before = next(i for i, other in enumerate(lanes) if fork in other.following)
        for one in lane.following:
            for other in (way for way in lane.following if way != one):
                beyond = (lanes[one].following[0], lanes[other].following[0])
                facing = (*lanes[beyond[0]].opposite, -1)[0]
                apart = facing >= 0 and not _reached(roads, facing) & set(beyond)
                beside = [i for i in lanes[before].neighbour if not _reached(roads, i) & set(beyond)]
                found.append(Site(fork, before, (one, other), beyond, facing, apart, (*beside, -1)[0]))
    return found


def _reached(roads: Roads, lane: int) -> set[int]:
    """The lanes beyond the junction that a lane before it leads to."""
    lanes = roads.lanes
    return {end for mouth in lanes[lane].following for way in lanes[mouth].following for end in lanes[way].following}


def cut_in(roads: Roads, site: Site, rng: np.random.Generator) -> list[Post]:
    """One follows two, of whom one has just come from the lane beside."""
    beside = roads.lanes[site.beyond[1]].neighbour
    if not beside:
        return []
    s = rng.uniform(13.0, 17.0)
    return [
        _before(roads, site.before, rng),
        Post(site.beyond[0], rng.uniform(13.0, 17.0)),
        Post(beside[0], s, target=site.beyond[1]),
    ]


def cut_in_intersection(roads: Roads, site: Site, rng: np.random.Generator) -> list[Post]:
    """The same with the second in the junction, and somebody who faces the group from the first one's arm.

    In some scenes the second has not changed lane: a platoon of four with opposite traffic.
    """
    beside = roads.lanes[site.ways[1]].neighbour
    if not beside or site.facing < 0:
        return []
    s = roads.lanes[site.ways[1]].length * rng.uniform(0.3, 0.5)
    return [
        _before(roads, site.before, rng),
        Post(site.beyond[0], rng.uniform(13.5, 15.0)),
        Post(beside[0], s, target=site.ways[1]) if _changes(rng) else Post(site.ways[1], s),
        _before(roads, site.facing, rng),
    ]


def cut_out(roads: Roads, site: Site, rng: np.random.Generator) -> list[Post]:
    """One follows two, and who was behind goes past on the lane beside; somebody faces them.

    In some scenes who is beside was there before: two leaders, a neighbour and opposite traffic.
    """
    if site.beside < 0 or not site.apart:
        return []
    first = _before(roads, site.before, rng)
    past = Post(site.before, first.s - rng.uniform(7.0, 9.0), speed=3.0, target=site.beside)
    return [
        first,
        *(Post(lane, rng.uniform(13.5, 15.0)) for lane in site.beyond),
        past if _changes(rng) else Post(site.beside, first.s - rng.uniform(0.0, 3.0)),
        _before(roads, site.facing, rng),
    ]


def cut_out_intersection(roads: Roads, site: Site, rng: np.random.Generator) -> list[Post]:
    """The same within the junction."""
    if site.beside < 0 or not site.apart:
        return []
    past = Post(site.before, roads.lanes[site.before].length - rng.uniform(5.0, 5.5), speed=6.5, target=site.beside)
    mouth = roads.lanes[site.beside].following[0]
    return [
        Post(site.fork, rng.uniform(0.1, 0.5)),
        *(Post(lane, rng.uniform(13.5, 15.0)) for lane in site.beyond),
        past if _changes(rng) else Post(mouth, rng.uniform(0.1, 0.5)),
        _before(roads, site.facing, rng),
    ]


def platoon(roads: Roads, site: Site, rng: np.random.Generator) -> list[Post]:
    """Four in a row, the second from the front in the junction."""
    last = _before(roads, site.before, rng)
    return [
        Post(site.before, last.s - rng.uniform(8.0, 12.0)),
        last,
        Post(site.ways[0], roads.lanes[site.ways[0]].length * rng.uniform(0.3, 0.5)),
        Post(site.beyond[0], rng.uniform(5.0, 12.0)),
    ]


STAGES: dict[str, Callable[[Roads, Site, np.random.Generator], list[Post]]] = {
    "cut_in": cut_in,
    "cut_in_intersection": cut_in_intersection,
    "cut_out": cut_out,
    "cut_out_intersection": cut_out_intersection,
    "four_vehicle_intersection_platoon": platoon,
}
"""By the archetype that each is for; an empty list of posts means that a site does not allow it."""


def staged(stage: str, roads: Roads, rng: np.random.Generator) -> tuple[int, list[Post]]:
    """A group at a site drawn from those that allow it, and the arm it comes from; -1 and none where no site does."""
    possible = [site for site in sites(roads) if STAGES[stage](roads, site, np.random.default_rng(0))]
    if not possible:
        return -1, []
    site = possible[int(rng.integers(len(possible)))]
    return roads.lanes[site.before].arm, STAGES[stage](roads, site, rng)


def _changes(rng: np.random.Generator) -> bool:
    return bool(rng.random() < _CHANGING)


def _before(roads: Roads, lane: int, rng: np.random.Generator) -> Post:
    """Some metres before the end of a lane, which a driver who starts there does not reach in two seconds."""
    return Post(lane, roads.lanes[lane].length - rng.uniform(3.5, 4.5))
