"""All sources that the options name, as one recording."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from terrarium.scenes.options import EmbedOptions
from terrarium.scenes.simulator.simulate import simulate
from terrarium.scenes.source_options import RecordingOptions, SourceOptions, given_folders
from terrarium.sources.errors import SourceError
from terrarium.sources.readers import detect_traffic_reader, read
from terrarium.sources.traffic.checks import check
from terrarium.sources.traffic.tables import Recording, join

logger = logging.getLogger(__name__)


def check_source(source: SourceOptions) -> None:
    """Check that the folders of the recordings exist and have a known format.

    Raises:
        SourceError: one does not.
    """
    _check_folders(source.folders, "source")


def check_new_scenes(embed: EmbedOptions) -> None:
    """Check the folders of the new scenes as `check_source` does. Raises as it does, and if there is none."""
    folders = given_folders(embed.recordings)
    if not folders:
        raise SourceError("there are no new scenes: give scenes.embed.recordings.new.path")
    _check_folders(folders, "embed")


def _check_folders(folders: Mapping[str, RecordingOptions], branch: str) -> None:
    for name, recording in folders.items():
        if not Path(str(recording.path)).is_dir():
            place = f"scenes.{branch}.recordings.{name}.path"
            raise SourceError(f"{place} {recording.path} is not a folder: check the path")
        _reader_of(recording)


def read_sources(source: SourceOptions) -> Recording:
    """Read the recordings and simulate the variants.

    Recordings come first, so that a wrong path is reported at once.

    Raises:
        SourceError: there is no source, or a recording breaks the contract of `sources.traffic`.
    """
    recordings = read_recordings(source.folders)
    simulated = simulate(source.simulator.model_copy(update={"variants": source.variants}))
    if len(simulated.tracks):
        recordings.append(simulated)
    if not recordings:
        raise SourceError("there is no source: give scenes.source.recordings or scenes of a simulator's variant")
    return _check(recordings, source.max_lane_distance_m)


def read_new_scenes(embed: EmbedOptions) -> Recording:
    """Read the recordings that trained weights embed.

    Raises:
        SourceError: there is none, or one breaks the contract of `sources.traffic`.
    """
    check_new_scenes(embed)
    return _check(read_recordings(given_folders(embed.recordings)), embed.max_lane_distance_m)


def _check(recordings: list[Recording], max_lane_distance_m: float) -> Recording:
    """Return one recording of all that keeps the contract, and log its sources."""
    recording = check(join(recordings), max_lane_distance_m)
    for name, rows in recording.tracks.groupby("source", sort=True):
        logger.info("Source %s: %d scenes, %d rows of tracks", name, rows["scene"].nunique(), len(rows))
    return recording


def read_recordings(folders: Mapping[str, RecordingOptions]) -> list[Recording]:
    """Read the folders of recordings by source name.

    Raises:
        SourceError: a folder is missing or its content is faulty.
    """
    return [read(_reader_of(given), str(given.path), source=name) for name, given in folders.items()]


def _reader_of(recording: RecordingOptions) -> str:
    return detect_traffic_reader(str(recording.path)) if recording.reader == "auto" else recording.reader
