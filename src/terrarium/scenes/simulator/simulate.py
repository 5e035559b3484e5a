"""A seeded traffic simulator: car following, lane changes, signals, and pedestrians who cross the road.

Crossing paths within a junction do not yield to each other; signals keep most of them apart.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from terrarium.scenes.simulator.driving import SIGNAL_PERIOD_S, STEP_S, CarFollowing, LaneChange, Signals
from terrarium.scenes.simulator.placement import RANDOM_GROUP, place_traffic
from terrarium.scenes.simulator.roads import Roads, make_roads
from terrarium.scenes.simulator.staging import STAGES, make_stage
from terrarium.scenes.simulator.traffic import Actor, Traffic
from terrarium.scenes.source_options import SimulatorOptions, VariantOptions
from terrarium.sources.traffic.tables import Recording
from terrarium.training.torch.seeding import generator

MIN_ENTRY_GAP_M = 12.0


class Assignment(NamedTuple):
    """The map of a scene and what is staged there: a key of `STAGES`, `RANDOM_GROUP`, or "" for nothing."""

    roads: Roads
    stage: str


def simulate(options: SimulatorOptions) -> Recording:
    """Simulate the scenes of all variants on the same maps; the same options give the same tables.

    The staged scenes of a variant take turns in what is staged, each on a random map that allows it.
    """
    variants = {name: variant for name, variant in options.variants.items() if variant is not None and variant.scenes}
    if not variants:
        return Recording(pd.DataFrame(), pd.DataFrame())
    count = max(variant.maps for variant in variants.values())
    maps = [make_roads(f"roads-{i}", generator(options.seed, "roads", i)) for i in range(count)]
    tracks = []
    for name, variant in variants.items():
        rng = generator(options.seed, "programme", name)
        for number, (roads, stage) in enumerate(_assign_scenes(maps[: variant.maps], variant, rng)):
            scene = Scene(roads, variant, generator(options.seed, "scene", name, number))
            scene.start(stage, options.duration_s)
            table = scene.run(options.duration_s, options.record_interval_s)
            tracks.append(table.assign(scene=f"{name}/{number:05d}", source=name, map=roads.name))
    lanes = [roads.table() for roads in maps]
    return Recording(pd.concat(tracks, ignore_index=True), pd.concat(lanes, ignore_index=True))


def _assign_scenes(maps: list[Roads], variant: VariantOptions, rng: np.random.Generator) -> list[Assignment]:
    """Choose map and stage of each scene of a variant."""
    allowing = {
        stage: [roads for roads in maps if make_stage(stage, roads, np.random.default_rng(0)).posts] for stage in STAGES
    }
    turns = [*(stage for stage in STAGES if allowing[stage]), RANDOM_GROUP]
    assignments: list[Assignment] = []
    num_staged = 0
    for number in range(variant.scenes):
        if rng.random() >= variant.staged_fraction:
            assignments.append(Assignment(maps[number % len(maps)], ""))
            continue
        stage = turns[num_staged % len(turns)]
        choice = allowing.get(stage, maps)
        assignments.append(Assignment(choice[int(rng.integers(len(choice)))], stage))
        num_staged += 1
    return assignments


class Scene:
    """A simulated scene.

    Args:
        roads: the network.
        variant: kind of traffic.
        rng: generator of the scene.
    """

    def __init__(self, roads: Roads, variant: VariantOptions, rng: np.random.Generator) -> None:
        self._roads, self._variant, self._rng = roads, variant, rng
        self._traffic = Traffic(roads, variant, rng)
        self._signals = Signals(roads, rng.uniform(0.0, SIGNAL_PERIOD_S))
        self._density_per_km = variant.vehicles_per_km * rng.uniform(0.5, 1.5)
        self._following = CarFollowing(self._traffic, self._signals)
        self._lane_change = LaneChange(self._traffic, self._signals)

    def start(self, stage: str, duration_s: float) -> None:
        """Place the road users; see `place_traffic`."""
        place_traffic(self._traffic, self._signals, stage, self._density_per_km, duration_s)

    def run(self, duration_s: float, record_interval_s: float) -> pd.DataFrame:
        """Simulate and record.

        Returns:
            One row per recorded time and road user: time_s, actor, type, lane, s_m, x_m, y_m, speed_mps, heading_rad,
            length_m, width_m.
        """
        every = max(1, round(record_interval_s / STEP_S))
        rows: list[dict[str, float | str]] = []
        for step in range(round(duration_s / STEP_S) + 1):
            if step % every == 0:
                rows += [self._record(step * STEP_S, actor) for actor in self._traffic.on_road()]
            self._step(step * STEP_S)
        return pd.DataFrame(rows)

    def _record(self, time_s: float, actor: Actor) -> dict[str, float | str]:
        x, y, heading = self._roads.lanes[actor.lane].pose(actor.s)
        return {
            "time_s": time_s,
            "actor": str(actor.number),
            "type": actor.kind,
            "lane": str(actor.lane),
            "s_m": min(actor.s, self._traffic.lengths[actor.lane]),
            "x_m": x,
            "y_m": y,
            "speed_mps": actor.speed,
            "heading_rad": heading + (np.pi / 2 if actor.crossing else 0.0),
            "length_m": actor.body.length_m,
            "width_m": actor.body.width_m,
        }

    def _step(self, time_s: float) -> None:
        traffic = self._traffic
        traffic.update_lanes()
        drivers = [actor for actor in traffic.actors if not actor.crossing]
        accelerations = [self._following.acceleration(actor, time_s) for actor in drivers]
        for actor, acceleration in zip(drivers, accelerations, strict=True):
            speed_before = actor.speed
            actor.speed = max(0.0, actor.speed + acceleration * STEP_S)
            actor.s += (speed_before + actor.speed) / 2 * STEP_S
            self._lane_change.step(actor, time_s, acceleration)
        for actor in traffic.actors:
            if actor.crossing:
                traffic.walk(actor, STEP_S)
        traffic.pass_lane_ends()
        self._enter()

    def _enter(self) -> None:
        """Let new drivers enter at the ends of the network, as many as keep the density."""
        rate_per_s = self._density_per_km / 1000 * self._variant.speed_mean
        for number, lane in enumerate(self._roads.lanes):
            if lane.entry and self._rng.random() < rate_per_s * STEP_S:
                first = self._traffic.on_lane(number)[:1]
                if not first or first[0].s > MIN_ENTRY_GAP_M:
                    self._traffic.actors.append(self._traffic.make_driver(number, 0.0))
