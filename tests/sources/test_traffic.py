import numpy as np
import pandas as pd
import pytest

from terrarium.sources.errors import SourceError
from terrarium.sources.traffic import LANE_COLUMNS, TRACK_COLUMNS, Recording, check, join, read_tables


def recording(**changes):
    row = {
        "scene": "s", "source": "a", "map": "m", "time_s": 0.0, "actor": "1", "type": "vehicle", "lane": "l",
        "s_m": 5.0, "x_m": 5.0, "y_m": 0.0, "speed_mps": 3.0, "heading_rad": 0.0, "length_m": 4.0, "width_m": 2.0,
    }  # fmt: skip
    second = row | {"actor": "2", "s_m": 15.0} | changes
    lanes = pd.DataFrame(
        [["m", "l", 30.0, False, [], [], [], [0.0, 30.0], [0.0, 0.0]]],
        columns=list(LANE_COLUMNS),
    )
    return Recording(pd.DataFrame([row, second])[list(TRACK_COLUMNS)], lanes)


def test_a_recording_that_keeps_the_contract_is_sorted():
    given = recording(time_s=-1.0)
    assert check(given, 3.0).tracks["actor"].tolist() == ["2", "1"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"type": "tram"}, "the type 'tram': known are vehicle"),
        ({"lane": "x"}, "name the lane 'x', which the map 'm' does not have"),
        ({"s_m": 34.0}, r"actor 2 of scene s at 0.00 s is off its lane: s_m 34.0 of 30.0 m"),
        ({"s_m": -4.0}, "off its lane"),
        ({"speed_mps": np.nan}, "actor 2 of scene s at 0.00 s has no finite speed_mps"),
        ({"actor": "1"}, "is there twice"),
    ],
)
def test_what_breaks_the_contract_is_told_with_its_place(changes, message):
    with pytest.raises(SourceError, match=message):
        check(recording(**changes), 3.0)


def test_missing_columns_empty_tracks_and_unknown_links_are_told():
    given = recording()
    with pytest.raises(SourceError, match="tracks lack the column speed_mps"):
        check(Recording(given.tracks.drop(columns="speed_mps"), given.lanes), 3.0)
    with pytest.raises(SourceError, match="tracks are empty"):
        check(Recording(given.tracks.iloc[:0], given.lanes), 3.0)
    lanes = given.lanes.assign(following=[["gone"]])
    with pytest.raises(SourceError, match="has the following lane 'gone': not there"):
        check(Recording(given.tracks, lanes), 3.0)


def test_tables_are_read_back_as_written(tmp_path):
    given = check(recording(), 3.0)
    given.tracks.to_parquet(tmp_path / "tracks.parquet")
    with pytest.raises(SourceError, match=r"has no lanes.parquet"):
        read_tables(tmp_path, "mine")
    given.lanes.to_parquet(tmp_path / "lanes.parquet")
    mine = read_tables(tmp_path, "mine")
    mine = Recording(mine.tracks.assign(scene="t"), mine.lanes)
    read = check(join([mine, given]), 3.0)
    assert set(read.tracks["source"]) == {"a", "mine"}
    assert len(read.lanes) == 1
