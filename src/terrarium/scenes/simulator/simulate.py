"""A seeded traffic simulator: car following, lane changes, signals, and people who cross the road.

Longitudinal: the intelligent driver model (Treiber, Hennecke and Helbing 2000). Lane changes: when the other lane
allows more acceleration and the gaps are safe, in the spirit of MOBIL (Kesting, Treiber and Helbing 2007), and at
random beside that. Crossing paths within a junction do not yield to each other; signals keep most of them apart.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
import pandas as pd

from terrarium.scenes.options import SimulatorOptions, VariantOptions
from terrarium.scenes.simulator.roads import LANE_WIDTH_M, Roads, make_roads
from terrarium.scenes.simulator.staging import STAGES, staged
from terrarium.sources.traffic.tables import Recording
from terrarium.training.torch.seeding import generator

STEP_S = 0.25
_TYPES = {
    # length and width in m, desired speed as a share of a vehicle's, largest acceleration in m/s²
    "vehicle": (4.6, 1.9, 1.0, 1.6),
    "motorcycle": (2.2, 0.8, 1.1, 2.2),
    "cyclist": (1.8, 0.6, 0.4, 1.0),
    "pedestrian": (0.6, 0.6, 0.0, 0.0),
}
_HEADWAY_S, _STANDSTILL_M, _BRAKE, _LOOKAHEAD_M = 1.4, 2.0, 2.0, 70.0
_SIGNAL_PERIOD_S, _WALK_MPS = 24.0, 1.4
_STAGED_S = 3.0
ANYTHING = "anything"
"""A stage: a group at a fork in which who is there, and where, is left to chance."""


@dataclass(eq=False)
class _Actor:
    name: int
    kind: str
    lane: int
    s: float
    speed: float
    desired: float
    next: int
    crossing: tuple[int, ...] = ()
    since: float = 0.0
    changes_at: float = np.inf
    target: int = -1
    """When, and to which lane, it changes whatever the gaps are."""
    keeps_lane_until: float = 0.0


def simulate(options: SimulatorOptions) -> Recording:
    """Scenes of all variants on the same maps; the same options give the same tables.

    The scenes of a variant that are staged take turns in what is staged, and each takes one of the maps that allow it.
    """
    variants = {name: variant for name, variant in options.variants.items() if variant is not None and variant.scenes}
    if not variants:
        return Recording(pd.DataFrame(), pd.DataFrame())
    count = max(variant.maps for variant in variants.values())
    roads = [make_roads(f"roads-{i}", generator(options.seed, "roads", i)) for i in range(count)]
    tracks = []
    for name, variant in variants.items():
        for i, (road, stage) in enumerate(_programme(roads[: variant.maps], variant, options.seed, name)):
            rng = generator(options.seed, "scene", name, i)
            tracks.append(_Scene(road, variant, options, rng, stage).run(name, i))
    return Recording(
        pd.concat(tracks, ignore_index=True), pd.concat([road.table() for road in roads], ignore_index=True)
    )


def _programme(roads: list[Roads], variant: VariantOptions, seed: int, name: str) -> list[tuple[Roads, str]]:
    """The map of each scene and what is staged there, "" for nothing."""
    rng = generator(seed, "programme", name)
    allowing = {stage: [road for road in roads if staged(stage, road, np.random.default_rng(0))[1]] for stage in STAGES}
    turns = [stage for stage in (*STAGES, ANYTHING) if stage == ANYTHING or allowing[stage]]
    found, number = [], 0
    for i in range(variant.scenes):
        if rng.random() >= variant.staged_fraction:
            found.append((roads[i % len(roads)], ""))
            continue
        stage = turns[number % len(turns)]
        choice = allowing.get(stage, roads)
        found.append((choice[int(rng.integers(len(choice)))], stage))
        number += 1
    return found


class _Scene:
    """A scene under way."""

    def __init__(
        self, roads: Roads, variant: VariantOptions, options: SimulatorOptions, rng: np.random.Generator, stage: str
    ) -> None:
        self._roads, self._variant, self._options, self._rng = roads, variant, options, rng
        self._along = [_metres(lane.line) for lane in roads.lanes]
        self._lengths = [float(along[-1]) for along in self._along]
        self._phase = rng.uniform(0.0, _SIGNAL_PERIOD_S)
        self._density = variant.vehicles_per_km * rng.uniform(0.5, 1.5)
        self._count = 0
        self._ahead: dict[int, list[_Actor]] = {}
        self._actors = self._placed(stage)

    def run(self, source: str, number: int) -> pd.DataFrame:
        """Simulate and record; columns of the contract."""
        steps = round(self._options.duration_s / STEP_S)
        every = max(1, round(self._options.record_interval_s / STEP_S))
        rows: list[tuple] = []
        for step in range(steps + 1):
            if step % every == 0:
                rows += [self._row(step * STEP_S, actor) for actor in self._present()]
            self._step(step * STEP_S)
        names = ["time_s", "actor", "type", "lane", "s_m", "x_m", "y_m", "speed_mps", "heading_rad"]
        frame = pd.DataFrame(rows, columns=[*names, "length_m", "width_m"])
        return frame.assign(scene=f"{source}/{number:05d}", source=source, map=self._roads.name)

    def _row(self, time: float, actor: _Actor) -> tuple:
        line, along = self._roads.lanes[actor.lane].line, self._along[actor.lane]
        s = min(actor.s, along[-1])
        k = min(int(np.searchsorted(along, s, side="right")) - 1, len(line) - 2)
        step = line[k + 1] - line[k]
        place = line[k] + step * (s - along[k]) / (along[k + 1] - along[k])
        heading = float(np.arctan2(step[1], step[0])) + (np.pi / 2 if actor.crossing else 0.0)
        size = _TYPES[actor.kind][:2]
        name, lane = str(actor.name), str(actor.lane)
        return (time, name, actor.kind, lane, float(s), float(place[0]), float(place[1]), actor.speed, heading, *size)

    def _placed(self, stage: str) -> list[_Actor]:
        """Road users at the start: a Poisson number a lane, apart from each other; then people who cross."""
        actors = self._group() if stage == ANYTHING else self._stage(stage) if stage else []
        taken = {lane for actor in actors for lane in (actor.lane, *self._roads.lanes[actor.lane].neighbour)}
        if actors:
            taken |= {i for i, lane in enumerate(self._roads.lanes) if lane.intersection}
        for lane, length in enumerate(self._lengths):
            places = np.sort(self._rng.uniform(0.0, length, self._rng.poisson(self._density * length / 1000)))
            kept: list[float] = []
            for s in places:
                if not kept or s - kept[-1] > 8.0:
                    kept.append(float(s))
            if lane not in taken:
                actors += [self._driver(lane, s) for s in kept]
        people = self._rng.poisson(self._variant.mean_pedestrians)
        return actors + [self._walker() for _ in range(people)]

    def _stage(self, stage: str) -> list[_Actor]:
        """Vehicles at their posts, with a green light for the arm that they come from."""
        arm, posts = staged(stage, self._roads, self._rng)
        self._phase = (arm % 2) * _SIGNAL_PERIOD_S / 2 + self._rng.uniform(0.0, _SIGNAL_PERIOD_S / 3)
        group = []
        for post in posts:
            actor = self._driver(post.lane, float(np.clip(post.s, 0.1, self._lengths[post.lane] - 0.1)), "vehicle")
            actor.speed, actor.target, actor.keeps_lane_until = post.speed, post.target, _STAGED_S
            if post.target >= 0:
                actor.changes_at = self._rng.uniform(0.0, 0.5)
            group.append(actor)
        return group

    def _group(self) -> list[_Actor]:
        """Drivers around the fork of a junction, standing: one before it, and beside, on two ways, and opposite.

        Not all of them are there, and one may be about to change lane. Such groups hold the rarer archetypes.
        """
        lanes, rng = self._roads.lanes, self._rng
        forks = [i for i, lane in enumerate(lanes) if lane.intersection and len(lane.following) > 1]
        if not forks:
            return []
        fork = forks[int(rng.integers(len(forks)))]
        before = next(i for i, lane in enumerate(lanes) if fork in lane.following)
        here = fork if rng.random() < 0.5 else before
        ways = rng.permutation(lanes[fork].following)[:2].tolist()
        back = rng.uniform(1.0, 3.0)
        places = [(here, self._lengths[here] - back)]
        alike, beyond = rng.random() < 0.5, rng.random() < 0.7
        for way in ways:
            beyond = beyond if alike else rng.random() < 0.5
            lane = lanes[way].following[0] if beyond else way
            places.append((lane, rng.uniform(12.5, 17.0) if beyond else self._lengths[way] * rng.uniform(0.3, 0.8)))
        places += [(lane, self._lengths[lane] - back) for lane in lanes[here].neighbour[:1]]
        facing = [lane for way in ways for lane in lanes[lanes[way].following[0]].opposite]
        places += [(lane, self._lengths[lane] - rng.uniform(0.5, 2.0)) for lane in facing[:1]]
        kept = [places[0], *(place for place in places[1:] if rng.random() < 0.85)]
        group = [self._driver(lane, float(np.clip(s, 0.1, self._lengths[lane] - 0.1))) for lane, s in kept]
        for actor in group:
            actor.speed = 0.0
        self._plan_change(group[int(rng.integers(min(1, len(group) - 1), len(group)))])
        return group

    def _plan_change(self, actor: _Actor) -> None:
        """Put a driver on a lane beside its own, to which it will come back at once, if there is one."""
        beside = self._roads.lanes[actor.lane].neighbour
        if beside:
            actor.target, actor.lane = actor.lane, beside[int(self._rng.integers(len(beside)))]
            actor.s = min(actor.s, self._lengths[actor.lane])
            actor.changes_at = self._rng.uniform(0.25, 0.75)

    def _driver(self, lane: int, s: float, kind: str = "") -> _Actor:
        """Somebody on a lane, of a type drawn by the variant's shares where none is given."""
        shares = (self._variant.motorcycle_fraction, self._variant.cyclist_fraction)
        draw = self._rng.random()
        kind = kind or ("motorcycle" if draw < shares[0] else "cyclist" if draw < sum(shares) else "vehicle")
        desired = max(3.0, self._rng.normal(self._variant.speed_mean, self._variant.speed_std))
        desired *= _TYPES[kind][2]
        self._count += 1
        speed = desired * self._rng.uniform(0.3, 0.9)
        return _Actor(self._count, kind, lane, s, speed, desired, self._choose(lane))

    def _walker(self) -> _Actor:
        """Somebody who crosses an arm, lane by lane, at a constant place along it."""
        start = int(self._rng.choice([i for i, lane in enumerate(self._roads.lanes) if lane.opposite]))
        lanes = self._roads.lanes
        path = [start]
        while more := [i for i in lanes[path[-1]].neighbour if i not in path]:
            path.append(more[0])
        self._count += 1
        s = self._rng.uniform(0.0, min(self._lengths[i] for i in path))
        wait = -self._rng.uniform(0.0, self._options.duration_s)
        return _Actor(self._count, "pedestrian", path[0], s, _WALK_MPS, 0.0, -1, tuple(path), wait)

    def _choose(self, lane: int) -> int:
        following = self._roads.lanes[lane].following
        return following[int(self._rng.integers(len(following)))] if following else -1

    def _step(self, time: float) -> None:
        self._ahead = {}
        for actor in sorted(self._present(), key=lambda actor: actor.s):
            self._ahead.setdefault(actor.lane, []).append(actor)
        drivers = [actor for actor in self._actors if not actor.crossing]
        accelerations = [self._acceleration(actor, time) for actor in drivers]
        for actor, acceleration in zip(drivers, accelerations, strict=True):
            before = actor.speed
            actor.speed = max(0.0, actor.speed + acceleration * STEP_S)
            actor.s += (before + actor.speed) / 2 * STEP_S
            self._change_lane(actor, time, acceleration)
        for actor in self._actors:
            if actor.crossing:
                self._walk(actor)
        self._actors = [actor for actor in self._actors if self._on_road(actor)]
        self._enter()

    def _present(self) -> list[_Actor]:
        """Everybody but those who still wait beside the road."""
        return [actor for actor in self._actors if actor.since >= 0.0]

    def _walk(self, actor: _Actor) -> None:
        actor.since += STEP_S
        reached = int(max(actor.since, 0.0) * _WALK_MPS / LANE_WIDTH_M)
        if reached >= len(actor.crossing):
            actor.next, actor.s = -1, np.inf
        else:
            actor.lane = actor.crossing[reached]

    def _on_road(self, actor: _Actor) -> bool:
        """Take a road user over the end of its lane; false when the network ends there."""
        while actor.s > self._lengths[actor.lane]:
            if actor.next < 0:
                return False
            actor.s -= self._lengths[actor.lane]
            actor.lane, actor.next = actor.next, self._choose(actor.next)
        return True

    def _enter(self) -> None:
        """New drivers at the far ends, as many as keep the density."""
        for lane, road in enumerate(self._roads.lanes):
            rate = self._density / 1000 * self._variant.speed_mean
            if road.entry and self._rng.random() < rate * STEP_S:
                first = self._ahead.get(lane, [])
                if not first or first[0].s > 12.0:
                    self._actors.append(self._driver(lane, 0.0))

    def _leader(self, lane: int, s: float, following: int) -> tuple[float, float]:
        """Gap to and speed of whoever is next on a lane, or on the lanes that follow."""
        others = self._ahead.get(lane, [])
        place = bisect_right(others, s + 1e-6, key=lambda other: other.s)
        if place < len(others):
            return others[place].s - _TYPES[others[place].kind][0] - s, others[place].speed
        gap = self._lengths[lane] - s
        while gap < _LOOKAHEAD_M and following >= 0:
            others = self._ahead.get(following, [])
            if others:
                return gap + others[0].s - _TYPES[others[0].kind][0], others[0].speed
            gap += self._lengths[following]
            more = self._roads.lanes[following].following
            following = more[0] if more else -1
        return np.inf, 0.0

    def _acceleration(self, actor: _Actor, time: float) -> float:
        planned = actor.target >= 0 and actor.changes_at < np.inf
        lane, following = (actor.target, -1) if planned else (actor.lane, actor.next)
        gap, speed = self._leader(lane, actor.s, following)
        stop = self._lengths[actor.lane] - actor.s
        if self._red(actor.lane, time) and stop < gap and stop > actor.speed**2 / (4 * _BRAKE):
            gap, speed = stop, 0.0
        return _idm(actor.speed, actor.desired, gap, speed, _TYPES[actor.kind][3])

    def _red(self, lane: int, time: float) -> bool:
        arm = self._roads.lanes[lane].arm
        if not self._roads.signals or arm < 0:
            return False
        green = int((time + self._phase) / _SIGNAL_PERIOD_S * 2) % 2
        return arm % 2 != green

    def _change_lane(self, actor: _Actor, time: float, acceleration: float) -> None:
        here = self._roads.lanes[actor.lane]
        if time + STEP_S > actor.changes_at and actor.target in here.neighbour:
            actor.lane, actor.next, actor.changes_at = actor.target, self._choose(actor.target), np.inf
            actor.s = min(actor.s, self._lengths[actor.lane])
            return
        if (
            time < actor.keeps_lane_until
            or here.intersection
            or not here.neighbour
            or actor.s >= self._lengths[actor.lane]
        ):
            return
        if self._rng.random() > self._variant.lane_change_rate * STEP_S:
            return
        lane = here.neighbour[int(self._rng.integers(len(here.neighbour)))]
        s = min(actor.s, self._lengths[lane])
        others = self._ahead.get(lane, [])
        place = bisect_right(others, s, key=lambda other: other.s)
        behind = s - others[place - 1].s - _TYPES[actor.kind][0] if place else np.inf
        chosen = self._choose(lane)
        gap, speed = self._leader(lane, s, chosen)
        wish = _idm(actor.speed, actor.desired, gap, speed, _TYPES[actor.kind][3])
        safe = behind > 3.0 + 0.5 * (others[place - 1].speed if place else 0.0) and wish > -_BRAKE
        gains = wish > acceleration + 0.1 or self._rng.random() < self._variant.random_lane_change_prob
        if safe and gains and not self._red(actor.lane, time):
            actor.lane, actor.s, actor.next = lane, s, chosen


def _metres(line: np.ndarray) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])


def _idm(speed: float, desired: float, gap: float, leader: float, largest: float) -> float:
    """a [1 - (v/v0)^4 - (s*/s)^2] with s* = s0 + vT + v (v - v_leader) / (2 sqrt(ab)), at least an emergency brake."""
    wanted = _STANDSTILL_M + max(0.0, speed * _HEADWAY_S + speed * (speed - leader) / (2 * (largest * _BRAKE) ** 0.5))
    free = 1 - (speed / desired) ** 4
    return max(largest * (free - (wanted / max(gap, 0.1)) ** 2), -8.0)
