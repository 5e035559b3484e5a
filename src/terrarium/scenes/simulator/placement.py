"""Where the road users of a scene start."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from terrarium.scenes.simulator.driving import SIGNAL_PERIOD_S, Signals
from terrarium.scenes.simulator.staging import make_stage
from terrarium.scenes.simulator.traffic import Actor, Traffic

RANDOM_GROUP = "random group"
"""A stage: a group at a fork in which who is there, and where, is left to chance."""
MIN_START_GAP_M = 8.0
STAGED_S = 3.0
"""How long drivers of a staged group keep their lane."""
_LANE_END_MARGIN_M = 0.1


class _Spot(NamedTuple):
    lane: int
    s: float


def place_traffic(traffic: Traffic, signals: Signals, stage: str, density_per_km: float, duration_s: float) -> None:
    """Place the road users of a scene: a staged group, a Poisson number of drivers per lane, then pedestrians.

    Args:
        traffic: without road users; changed in place.
        signals: a staged group starts with a green light; changed in place.
        stage: a key of `STAGES`, `RANDOM_GROUP`, or "" for no group.
        density_per_km: mean number of drivers per km of lane.
        duration_s: pedestrians wait at most this long.
    """
    if stage == RANDOM_GROUP:
        traffic.actors = _random_group(traffic)
    elif stage:
        traffic.actors = _staged_group(traffic, signals, stage)
    lanes, rng = traffic.roads.lanes, traffic.rng
    reserved = {lane for actor in traffic.actors for lane in (actor.lane, *lanes[actor.lane].neighbour)}
    if traffic.actors:
        reserved |= {i for i, lane in enumerate(lanes) if lane.intersection}
    for lane, length in enumerate(traffic.lengths):
        kept: list[float] = []
        for s in np.sort(rng.uniform(0.0, length, rng.poisson(density_per_km * length / 1000))):
            if not kept or s - kept[-1] > MIN_START_GAP_M:
                kept.append(float(s))
        if lane not in reserved:
            traffic.actors += [traffic.make_driver(lane, s) for s in kept]
    pedestrians = rng.poisson(traffic.variant.mean_pedestrians)
    traffic.actors += [traffic.make_pedestrian(duration_s) for _ in range(pedestrians)]


def _staged_group(traffic: Traffic, signals: Signals, stage: str) -> list[Actor]:
    """Return the drivers of a stage, with a green light for the arm that they come from."""
    arm, posts = make_stage(stage, traffic.roads, traffic.rng)
    signals.phase_s = (arm % 2) * SIGNAL_PERIOD_S / 2 + traffic.rng.uniform(0.0, SIGNAL_PERIOD_S / 3)
    group = []
    for post in posts:
        actor = traffic.make_driver(post.lane, _inside(traffic, _Spot(post.lane, post.s)), "vehicle")
        actor.speed, actor.planned_lane, actor.keeps_lane_until_s = post.speed, post.planned_lane, STAGED_S
        if post.planned_lane >= 0:
            actor.change_at_s = traffic.rng.uniform(0.0, 0.5)
        group.append(actor)
    return group


def _random_group(traffic: Traffic) -> list[Actor]:
    """Return standing drivers around a fork, one of whom may be about to change lane; such groups are rare otherwise.

    One is before the fork or in it. Others, each with some probability, are on two of its branches, next to the first
    one, and opposite.
    """
    rng = traffic.rng
    spots = _fork_spots(traffic)
    if not spots:
        return []
    kept = [spots[0], *(spot for spot in spots[1:] if rng.random() < 0.85)]
    group = [traffic.make_driver(spot.lane, _inside(traffic, spot)) for spot in kept]
    for actor in group:
        actor.speed = 0.0
    _plan_return(traffic, group[int(rng.integers(min(1, len(group) - 1), len(group)))])
    return group


def _fork_spots(traffic: Traffic) -> list[_Spot]:
    """Draw places around a random fork of the junction; none if there is no fork."""
    lanes, lengths, rng = traffic.roads.lanes, traffic.lengths, traffic.rng
    forks = [i for i, lane in enumerate(lanes) if lane.intersection and len(lane.following) > 1]
    if not forks:
        return []
    fork = forks[int(rng.integers(len(forks)))]
    before = next(i for i, lane in enumerate(lanes) if fork in lane.following)
    first = fork if rng.random() < 0.5 else before
    branches = rng.permutation(lanes[fork].following)[:2].tolist()
    back = rng.uniform(1.0, 3.0)
    spots = [_Spot(first, lengths[first] - back)]
    are_alike, is_beyond = rng.random() < 0.5, rng.random() < 0.7
    for branch in branches:
        is_beyond = is_beyond if are_alike else rng.random() < 0.5
        if is_beyond:
            spots.append(_Spot(lanes[branch].following[0], rng.uniform(12.5, 17.0)))
        else:
            spots.append(_Spot(branch, lengths[branch] * rng.uniform(0.3, 0.8)))
    spots += [_Spot(lane, lengths[lane] - back) for lane in lanes[first].neighbour[:1]]
    opposite = [lane for branch in branches for lane in lanes[lanes[branch].following[0]].opposite]
    return spots + [_Spot(lane, lengths[lane] - rng.uniform(0.5, 2.0)) for lane in opposite[:1]]


def _plan_return(traffic: Traffic, actor: Actor) -> None:
    """Put a driver on a neighbouring lane, if there is one, from which it soon changes back."""
    neighbors = traffic.roads.lanes[actor.lane].neighbour
    if neighbors:
        actor.planned_lane, actor.lane = actor.lane, neighbors[int(traffic.rng.integers(len(neighbors)))]
        actor.s = min(actor.s, traffic.lengths[actor.lane])
        actor.change_at_s = traffic.rng.uniform(0.25, 0.75)


def _inside(traffic: Traffic, spot: _Spot) -> float:
    return float(np.clip(spot.s, _LANE_END_MARGIN_M, traffic.lengths[spot.lane] - _LANE_END_MARGIN_M))
