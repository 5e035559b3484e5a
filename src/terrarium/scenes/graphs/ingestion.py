"""All sources that the options name, as one recording."""

from __future__ import annotations

import logging
from pathlib import Path

from terrarium.scenes.options import SourceOptions
from terrarium.scenes.simulator.simulate import simulate
from terrarium.sources.errors import SourceError
from terrarium.sources.readers import read
from terrarium.sources.traffic.checks import check
from terrarium.sources.traffic.tables import Recording, join

logger = logging.getLogger(__name__)


def check_source(source: SourceOptions) -> None:
    """Check that the folders of the recordings exist.

    Raises:
        SourceError: one does not.
    """
    for name, recording in source.recordings.items():
        if recording is not None and not Path(recording.path).is_dir():
            raise SourceError(f"scenes.source.recordings.{name}.path {recording.path} is not a folder: check the path")


def read_sources(source: SourceOptions) -> Recording:
    """Read the recordings and simulate the variants.

    Recordings come first, so that a wrong path is reported at once.

    Raises:
        SourceError: there is no source, or a recording breaks the contract of `sources.traffic`.
    """
    recordings = [
        read(recording.reader, recording.path, source=name)
        for name, recording in source.recordings.items()
        if recording is not None
    ]
    simulated = simulate(source.simulator)
    if len(simulated.tracks):
        recordings.append(simulated)
    if not recordings:
        raise SourceError("there is no source: give scenes.source.recordings or scenes of a simulator's variant")
    recording = check(join(recordings), source.max_lane_distance_m)
    for name, rows in recording.tracks.groupby("source", sort=True):
        logger.info("Source %s: %d scenes, %d rows of tracks", name, rows["scene"].nunique(), len(rows))
    return recording
