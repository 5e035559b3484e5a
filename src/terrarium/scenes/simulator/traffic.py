"""The state of a simulated scene: road users on lanes, and who is ahead of whom."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from terrarium.scenes.simulator.roads import LANE_WIDTH_M, Roads
from terrarium.scenes.source_options import VariantOptions

LOOKAHEAD_M = 70.0
WALKING_SPEED_MPS = 1.4
_SAME_PLACE_M = 1e-6
_MIN_DESIRED_SPEED_MPS = 3.0


class Body(NamedTuple):
    """Size and abilities of a type of road user."""

    length_m: float
    width_m: float
    speed_factor: float
    """Desired speed relative to that of a vehicle."""
    max_acceleration_mps2: float


BODIES = {
    "vehicle": Body(4.6, 1.9, 1.0, 1.6),
    "motorcycle": Body(2.2, 0.8, 1.1, 2.2),
    "cyclist": Body(1.8, 0.6, 0.4, 1.0),
    "pedestrian": Body(0.6, 0.6, 0.0, 0.0),
}


@dataclass(eq=False)
class Actor:
    """A road user.

    Attributes:
        number: from 1, in the order of creation.
        kind: type, a key of `BODIES`.
        lane: number of the lane.
        s: metres along the lane.
        speed, desired_speed: m/s.
        next_lane: lane to follow at the end of this one, -1 for none.
        crossing: lanes that a pedestrian crosses; empty for drivers.
        crossing_s: seconds since a pedestrian started; negative while waiting.
        planned_lane, change_at_s: a lane change at a given time, whatever the gaps are; -1 for none.
        keeps_lane_until_s: no other lane change before this time.
    """

    number: int
    kind: str
    lane: int
    s: float
    speed: float
    desired_speed: float
    next_lane: int
    crossing: tuple[int, ...] = ()
    crossing_s: float = 0.0
    planned_lane: int = -1
    change_at_s: float = np.inf
    keeps_lane_until_s: float = 0.0

    @property
    def body(self) -> Body:
        """Size and abilities."""
        return BODIES[self.kind]


class Leader(NamedTuple):
    """Gap in metres and speed in m/s of the road user ahead; an infinite gap if there is none."""

    gap: float
    speed: float


class Traffic:
    """All road users of a scene. Every random decision comes from one generator.

    Args:
        roads: the network.
        variant: kind of traffic.
        rng: generator of the scene.
    """

    def __init__(self, roads: Roads, variant: VariantOptions, rng: np.random.Generator) -> None:
        self.roads, self.variant, self.rng = roads, variant, rng
        self.lengths = [float(lane.distance[-1]) for lane in roads.lanes]
        self.actors: list[Actor] = []
        self._by_lane: dict[int, list[Actor]] = {}
        self._created = 0

    def make_driver(self, lane: int, s: float, kind: str = "") -> Actor:
        """Create a driver, of a type drawn by the variant's fractions unless `kind` is given."""
        fractions = (self.variant.motorcycle_fraction, self.variant.cyclist_fraction)
        draw = self.rng.random()
        drawn = "motorcycle" if draw < fractions[0] else "cyclist" if draw < sum(fractions) else "vehicle"
        kind = kind or drawn
        desired = max(_MIN_DESIRED_SPEED_MPS, self.rng.normal(self.variant.speed_mean, self.variant.speed_std))
        desired *= BODIES[kind].speed_factor
        speed = desired * self.rng.uniform(0.3, 0.9)
        return Actor(self._next_number(), kind, lane, s, speed, desired, self.choose_next_lane(lane))

    def make_pedestrian(self, max_wait_s: float) -> Actor:
        """Create a pedestrian who crosses an arm lane by lane, at one place along it, after a random wait."""
        lanes = self.roads.lanes
        crossing = [int(self.rng.choice([i for i, lane in enumerate(lanes) if lane.opposite]))]
        while remaining := [i for i in lanes[crossing[-1]].neighbour if i not in crossing]:
            crossing.append(remaining[0])
        s = self.rng.uniform(0.0, min(self.lengths[i] for i in crossing))
        wait_s = self.rng.uniform(0.0, max_wait_s)
        return Actor(
            number=self._next_number(),
            kind="pedestrian",
            lane=crossing[0],
            s=s,
            speed=WALKING_SPEED_MPS,
            desired_speed=0.0,
            next_lane=-1,
            crossing=tuple(crossing),
            crossing_s=-wait_s,
        )

    def choose_next_lane(self, lane: int) -> int:
        """Draw one of the lanes that follow, -1 if there is none."""
        following = self.roads.lanes[lane].following
        return following[int(self.rng.integers(len(following)))] if following else -1

    def on_road(self) -> list[Actor]:
        """Return all road users but pedestrians who still wait."""
        return [actor for actor in self.actors if actor.crossing_s >= 0.0]

    def on_lane(self, lane: int) -> list[Actor]:
        """Return the road users of a lane at the last `update_lanes`, from its start to its end."""
        return self._by_lane.get(lane, [])

    def update_lanes(self) -> None:
        """Sort the road users into their lanes."""
        self._by_lane = {}
        for actor in sorted(self.on_road(), key=lambda actor: actor.s):
            self._by_lane.setdefault(actor.lane, []).append(actor)

    def leader(self, lane: int, s: float, next_lane: int) -> Leader:
        """Find the road user ahead on a lane, or on the lanes that follow within `LOOKAHEAD_M`."""
        actors = self.on_lane(lane)
        ahead = bisect_right(actors, s + _SAME_PLACE_M, key=lambda actor: actor.s)
        if ahead < len(actors):
            return Leader(actors[ahead].s - actors[ahead].body.length_m - s, actors[ahead].speed)
        gap = self.lengths[lane] - s
        while gap < LOOKAHEAD_M and next_lane >= 0:
            actors = self.on_lane(next_lane)
            if actors:
                return Leader(gap + actors[0].s - actors[0].body.length_m, actors[0].speed)
            gap += self.lengths[next_lane]
            following = self.roads.lanes[next_lane].following
            next_lane = following[0] if following else -1
        return Leader(np.inf, 0.0)

    def walk(self, actor: Actor, seconds: float) -> None:
        """Move a pedestrian on across the lanes, and off the road after the last one."""
        actor.crossing_s += seconds
        reached = int(max(actor.crossing_s, 0.0) * WALKING_SPEED_MPS / LANE_WIDTH_M)
        if reached >= len(actor.crossing):
            actor.next_lane, actor.s = -1, np.inf
        else:
            actor.lane = actor.crossing[reached]

    def pass_lane_ends(self) -> None:
        """Move road users beyond the end of their lane to the next one, and remove those who leave the network."""
        self.actors = [actor for actor in self.actors if self._continues(actor)]

    def _continues(self, actor: Actor) -> bool:
        while actor.s > self.lengths[actor.lane]:
            if actor.next_lane < 0:
                return False
            actor.s -= self.lengths[actor.lane]
            actor.lane, actor.next_lane = actor.next_lane, self.choose_next_lane(actor.next_lane)
        return True

    def _next_number(self) -> int:
        self._created += 1
        return self._created
