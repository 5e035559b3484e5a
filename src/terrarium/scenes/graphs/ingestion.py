"""All sources that the parameters name, as one recording that keeps the contract."""

from __future__ import annotations

import logging

from terrarium.scenes.options import RecordingOptions, SourceOptions
from terrarium.scenes.simulator.simulate import simulate
from terrarium.sources.errors import SourceError
from terrarium.sources.traffic.argoverse import read_argoverse
from terrarium.sources.traffic.carla import read_carla
from terrarium.sources.traffic.checks import check
from terrarium.sources.traffic.tables import Recording, join, read_tables

logger = logging.getLogger(__name__)
_READERS = {"carla": read_carla, "argoverse": read_argoverse, "tables": read_tables}


def read_all(source: SourceOptions) -> Recording:
    """Recordings are read before anything is simulated, so that a wrong path is told at once."""
    found = [_read(name, given) for name, given in source.recordings.items() if given is not None]
    simulated = simulate(source.simulator)
    if len(simulated.tracks):
        found.append(simulated)
    if not found:
        raise SourceError("there is no source: give scenes.source.recordings or scenes of a simulator's variant")
    recording = check(join(found), source.max_lane_distance_m)
    for name, part in recording.tracks.groupby("source", sort=True):
        logger.info("Source %s: %d scenes, %d tracks' rows", name, part["scene"].nunique(), len(part))
    return recording


def _read(name: str, given: RecordingOptions) -> Recording:
    return _READERS[given.reader](given.path, name)
