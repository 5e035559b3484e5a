"""How drivers behave: signals, car following and lane changes."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from terrarium.scenes.simulator.roads import Roads
from terrarium.scenes.simulator.traffic import Actor, Leader, Traffic

STEP_S = 0.25
SIGNAL_PERIOD_S = 24.0
TIME_HEADWAY_S = 1.4
STANDSTILL_GAP_M = 2.0
COMFORTABLE_BRAKING_MPS2 = 2.0
EMERGENCY_BRAKING_MPS2 = 8.0
_MIN_GAP_M = 0.1
_SAFE_GAP_BEHIND_M, _SAFE_HEADWAY_BEHIND_S = 3.0, 0.5
_MIN_GAIN_MPS2 = 0.1


class Signals:
    """Traffic lights at the junction: the even and the odd arms are green in turn.

    Args:
        roads: the network.
        phase_s: seconds into the period at the start of the scene.
    """

    def __init__(self, roads: Roads, phase_s: float) -> None:
        self._roads, self.phase_s = roads, phase_s

    def is_red(self, lane: int, time_s: float) -> bool:
        """Return whether the signal at the end of a lane is red."""
        arm = self._roads.lanes[lane].arm
        if not self._roads.signals or arm < 0:
            return False
        return arm % 2 != int((time_s + self.phase_s) / SIGNAL_PERIOD_S * 2) % 2


class CarFollowing:
    """The intelligent driver model (Treiber, Hennecke and Helbing 2000), with red signals as standing leaders."""

    def __init__(self, traffic: Traffic, signals: Signals) -> None:
        self._traffic, self._signals = traffic, signals

    def acceleration(self, actor: Actor, time_s: float) -> float:
        """Return the acceleration of a driver in m/s²."""
        is_changing = actor.planned_lane >= 0 and actor.change_at_s < np.inf
        lane, next_lane = (actor.planned_lane, -1) if is_changing else (actor.lane, actor.next_lane)
        leader = self._traffic.leader(lane, actor.s, next_lane)
        stop = self._traffic.lengths[actor.lane] - actor.s
        can_stop = stop > actor.speed**2 / (4 * COMFORTABLE_BRAKING_MPS2)
        if self._signals.is_red(actor.lane, time_s) and stop < leader.gap and can_stop:
            leader = Leader(stop, 0.0)
        return idm_acceleration(actor, leader)


class LaneChange:
    """Lane changes that gain acceleration and are safe, after MOBIL (Kesting, Treiber and Helbing 2007), or random."""

    def __init__(self, traffic: Traffic, signals: Signals) -> None:
        self._traffic, self._signals = traffic, signals

    def step(self, actor: Actor, time_s: float, acceleration: float) -> None:
        """Let a driver change lane, now or never in this step.

        Args:
            actor: the driver; changed in place.
            time_s: of the scene.
            acceleration: on the present lane, in m/s².
        """
        traffic, lane = self._traffic, self._traffic.roads.lanes[actor.lane]
        if time_s + STEP_S > actor.change_at_s and actor.planned_lane in lane.neighbour:
            actor.lane, actor.change_at_s = actor.planned_lane, np.inf
            actor.next_lane = traffic.choose_next_lane(actor.lane)
            actor.s = min(actor.s, traffic.lengths[actor.lane])
            return
        may_change = lane.neighbour and not lane.intersection and actor.s < traffic.lengths[actor.lane]
        if time_s < actor.keeps_lane_until_s or not may_change:
            return
        if traffic.rng.random() > traffic.variant.lane_change_rate * STEP_S:
            return
        self._consider(actor, lane.neighbour[int(traffic.rng.integers(len(lane.neighbour)))], time_s, acceleration)

    def _consider(self, actor: Actor, lane: int, time_s: float, acceleration: float) -> None:
        traffic = self._traffic
        s = min(actor.s, traffic.lengths[lane])
        actors = traffic.on_lane(lane)
        ahead = bisect_right(actors, s, key=lambda other: other.s)
        gap_behind = s - actors[ahead - 1].s - actor.body.length_m if ahead else np.inf
        speed_behind = actors[ahead - 1].speed if ahead else 0.0
        next_lane = traffic.choose_next_lane(lane)
        gained = idm_acceleration(actor, traffic.leader(lane, s, next_lane))
        is_safe = (
            gap_behind > _SAFE_GAP_BEHIND_M + _SAFE_HEADWAY_BEHIND_S * speed_behind
            and gained > -COMFORTABLE_BRAKING_MPS2
        )
        is_wanted = (
            gained > acceleration + _MIN_GAIN_MPS2 or traffic.rng.random() < traffic.variant.random_lane_change_prob
        )
        if is_safe and is_wanted and not self._signals.is_red(actor.lane, time_s):
            actor.lane, actor.s, actor.next_lane = lane, s, next_lane


def idm_acceleration(actor: Actor, leader: Leader) -> float:
    """Return a [1 - (v / v0)^4 - (s* / s)²] with s* = s0 + vT + v (v - v_leader) / (2 sqrt(ab)), in m/s².

    It is never below an emergency brake.
    """
    speed, most = actor.speed, actor.body.max_acceleration_mps2
    approach = speed * (speed - leader.speed) / (2 * (most * COMFORTABLE_BRAKING_MPS2) ** 0.5)
    desired_gap = STANDSTILL_GAP_M + max(0.0, speed * TIME_HEADWAY_S + approach)
    free = 1 - (speed / actor.desired_speed) ** 4
    return max(most * (free - (desired_gap / max(leader.gap, _MIN_GAP_M)) ** 2), -EMERGENCY_BRAKING_MPS2)
