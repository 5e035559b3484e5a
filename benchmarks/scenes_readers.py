"""Readers of recordings on real files: who is kept, who is flagged, and how often road users change lanes."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from benchmarks.results import Row, replace_rows
from terrarium.sources.readers import detect_traffic_reader, read
from terrarium.sources.traffic.checks import check

FOLDER = "TERRARIUM_RECORDINGS"
"""Environment variable: a folder with one folder of recordings for each row."""
MAX_LANE_DISTANCE_M = 3.0


def readers() -> None:
    """Read each folder below the one of the environment variable."""
    replace_rows("scenes_readers", _rows(Path(os.environ[FOLDER])))


def _rows(folder: Path) -> Iterator[Row]:
    for path in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
        reader, start = detect_traffic_reader(str(path)), time.process_time()
        recording = check(read(reader, str(path), source=path.name), MAX_LANE_DISTANCE_M)
        seconds = f"{time.process_time() - start:.1f}"
        yield {"folder": path.name, "reader": reader, **describe(recording.tracks), "CPU seconds": seconds}


def describe(tracks: pd.DataFrame) -> dict[str, object]:
    """Return numbers of scenes and road users, how many are mostly parked or off the lanes, and lanes taken."""
    users = tracks.sort_values("time_s").groupby(["scene", "actor"], sort=False)
    place = users["place"].agg(lambda values: values.mode().iloc[0])
    changes = users["lane"].agg(lambda lanes: int((lanes != lanes.shift()).sum()) - 1)
    return {
        "scenes": tracks["scene"].nunique(),
        "road users": len(place),
        "pedestrians": int((users["type"].first() == "pedestrian").sum()),
        "parked": int((place == "parked").sum()),
        "off the lanes": int((place == "off_lane").sum()),
        "lanes of a road user, most": int(changes.max()) + 1,
    }
