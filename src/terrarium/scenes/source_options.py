"""Options of the sources of scenes: the simulator's variants and recordings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from terrarium.common.options import FilePath
from terrarium.common.options import Options as Base


class VariantOptions(Base):
    """A kind of simulated traffic."""

    renamed: ClassVar = {
        "speed_deviation": "speed_std",
        "idle_lane_changes": "random_lane_change_prob",
        "motorcycle_share": "motorcycle_fraction",
        "cyclist_share": "cyclist_fraction",
        "pedestrians": "mean_pedestrians",
        "staged_share": "staged_fraction",
    }

    scenes: int = Field(ge=0, description="number of scenes to simulate")
    maps: int = Field(gt=0, description="number of road networks; all variants share them, scenes take turns on them")
    vehicles_per_km: float = Field(gt=0, description="mean density of a lane; scenes draw 0.5 to 1.5 times this")
    speed_mean: float = Field(gt=0, description="mean desired speed of vehicles, in m/s")
    speed_std: float = Field(ge=0, description="standard deviation of the desired speed, in m/s")
    lane_change_rate: float = Field(ge=0, description="how often a driver considers a lane change, per second")
    random_lane_change_prob: float = Field(
        ge=0, le=1, description="probability of a considered lane change that gains nothing"
    )
    motorcycle_fraction: float = Field(ge=0, le=1, description="fraction of drivers on motorcycles")
    cyclist_fraction: float = Field(ge=0, le=1, description="fraction of drivers on bicycles")
    mean_pedestrians: float = Field(ge=0, description="mean number of pedestrians who cross the road in a scene")
    staged_fraction: float = Field(
        ge=0, le=1, description="fraction of scenes that start with a group forming a rare archetype"
    )


class SimulatorOptions(Base):
    """The built-in traffic simulator."""

    renamed: ClassVar = {"seconds": "duration_s", "record_every_s": "record_interval_s"}

    variants: dict[str, VariantOptions | None] = Field(description="kinds of traffic by source name; null removes one")
    stand_in: str | None = Field(
        description="variant to use in place of recordings: simulated only if there are none; null: simulate all"
    )
    duration_s: float = Field(gt=0, description="length of a scene, in seconds")
    record_interval_s: float = Field(gt=0, description="time between recorded states, in seconds")
    seed: int = Field(ge=0, description="seed of maps and traffic")


class RecordingOptions(Base):
    """A folder of recorded scenes."""

    reader: Literal["auto", "carla", "argoverse", "commonroad", "sumo", "tables"] = Field(
        description="format of the folder; auto: what its files say"
    )
    path: FilePath | None = Field(description="the folder; null for no recording")


def given_folders(recordings: Mapping[str, RecordingOptions | None]) -> dict[str, RecordingOptions]:
    """Return the recordings that have a folder."""
    return {name: given for name, given in recordings.items() if given is not None and given.path is not None}


class SourceOptions(Base):
    """Where scenes come from."""

    renamed: ClassVar = {"off_lane_m": "max_lane_distance_m"}

    simulator: SimulatorOptions
    recordings: dict[str, RecordingOptions | None] = Field(
        description="recorded scenes by source name; null removes one"
    )
    max_lane_distance_m: float = Field(ge=0, description="largest distance of a road user from its lane, in metres")

    @property
    def folders(self) -> dict[str, RecordingOptions]:
        """Recordings that have a folder, by source name."""
        return given_folders(self.recordings)

    @property
    def variants(self) -> dict[str, VariantOptions]:
        """Variants that are simulated, by source name."""
        left_out = self.simulator.stand_in if self.folders else None
        variants = self.simulator.variants.items()
        return {name: variant for name, variant in variants if variant and variant.scenes and name != left_out}

    def reference(self) -> str:
        """Return the source that simulated scenes are compared with: the recording, or the variant in its place.

        Raises:
            ValueError: there are several recordings, or neither a recording nor a stand-in.
        """
        names = list(self.folders) or [name for name in self.variants if name == self.simulator.stand_in]
        if len(names) == 1:
            return names[0]
        found = f"are the recordings {', '.join(names)}: name one" if names else "is no recording: name a source"
        raise ValueError(f"evaluation.coverage.recorded is null and there {found}")
