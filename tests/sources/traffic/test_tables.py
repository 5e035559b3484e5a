import numpy as np
import pandas as pd
import pytest

from terrarium.sources.errors import SourceError
from terrarium.sources.traffic.checks import check
from terrarium.sources.traffic.tables import LANE_COLUMNS, TRACK_COLUMNS, Recording, join, read_tables


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
        ({"type": "tram"}, r"actor 2 .* has the type 'tram', which must be one of vehicle, .* \(1 such rows\)"),
        ({"lane": "x"}, "name the lane 'x', which the map 'm' does not have"),
        ({"s_m": 34.0}, r"actor 2 of scene s of a at 0.0 s is off its lane 'l': s_m is 34.0 of 30.0 m"),
        ({"s_m": -4.0}, "off its lane"),
        ({"y_m": 3.5}, r"off its lane 'l': x_m and y_m are 3.5 m from its centre line \(1 such rows"),
        ({"x_m": 1e6, "y_m": 1e6}, "actor 2 .* m from its centre line"),
        (
            {"speed_mps": np.nan},
            "actor 2 of scene s of a at 0.0 s has the speed_mps nan, which must be a finite",
        ),
        ({"speed_mps": -1.0}, "actor 2 .* has the speed_mps -1.0, which must be from 0 to 200 m/s"),
        ({"speed_mps": "fast"}, "actor 2 .* has the speed_mps 'fast', which must be a finite number"),
        ({"speed_mps": "4"}, "speed_mps of tracks must be stored as numbers, not as text"),
        ({"time_s": "late"}, "has the time_s 'late', which must be a finite number"),
        ({"width_m": -2.0}, "has the width_m -2.0, which must be from 0 to 100 m"),
        ({"scene": None}, r"row 1 of tracks has no scene \(1 such rows\)"),
        ({"actor": None}, "has no actor"),
        ({"actor": "1"}, "must be unique"),
    ],
)
def test_what_breaks_the_contract_is_told_with_its_place(changes, message):
    with pytest.raises(SourceError, match=message):
        check(recording(**changes), 3.0)


def test_missing_columns_empty_tracks_and_unknown_links_are_told():
    given = recording()
    with pytest.raises(SourceError, match="tracks has no column speed_mps"):
        check(Recording(given.tracks.drop(columns="speed_mps"), given.lanes), 3.0)
    with pytest.raises(SourceError, match="tracks has no rows"):
        check(Recording(given.tracks.iloc[:0], given.lanes), 3.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"following": ["gone"]}, "lane 'l' of map 'm' has the following lane 'gone', which map 'm' does not have"),
        (
            {"following": None},
            r"lane 'l' of map 'm' has the following None, which must be a list of lanes, \[\] for none",
        ),
        ({"length_m": np.nan}, "lane 'l' of map 'm' has the length_m nan, which must be a finite number"),
        ({"length_m": -30.0}, "has the length_m -30.0, which must be above 0"),
        ({"x_m": [0.0]}, "must be a centre line"),
        ({"y_m": None}, "must be a centre line"),
        ({"lane": None}, "row 0 of lanes has no lane"),
    ],
)
@pytest.mark.parametrize("used", [True, False])
def test_lanes_that_break_the_contract_are_told_whether_they_are_used_or_not(changes, message, used):
    given = recording()
    row = given.lanes.iloc[0].to_dict()
    wrong = pd.DataFrame([row | changes], columns=list(LANE_COLUMNS))
    other = pd.DataFrame([row | {"lane": "used"}], columns=list(LANE_COLUMNS))
    tracks = given.tracks if used else given.tracks.assign(lane="used")
    with pytest.raises(SourceError, match=message):
        check(Recording(tracks, pd.concat([wrong, other], ignore_index=True)), 3.0)


def test_a_lane_that_is_there_twice_is_told_by_its_name():
    given = recording()
    with pytest.raises(SourceError, match="lane 'l' of map 'm' must be unique"):
        check(Recording(given.tracks, pd.concat([given.lanes, given.lanes])), 3.0)


def test_two_sources_may_have_scenes_of_one_name():
    given = recording()
    both = join([given, Recording(given.tracks.assign(source="b"), given.lanes)])
    assert len(check(both, 3.0).tracks) == 4


def test_maps_of_one_name_must_be_the_same():
    """Lists or arrays and the order of lanes do not matter; a length does, and so does a lane more."""
    given = recording()
    arrays = given.lanes.assign(x_m=[np.array([0.0, 30.0])], y_m=[np.array([0.0, 0.0])])
    assert len(join([given, Recording(given.tracks, arrays)]).lanes) == 1
    longer = given.lanes.assign(length_m=31.0)
    more = pd.concat([given.lanes, given.lanes.assign(lane="k")])
    for lanes in (longer, more):
        with pytest.raises(SourceError, match="two sources have different maps of the name 'm': rename it"):
            join([given, Recording(given.tracks, lanes)])


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


@pytest.mark.parametrize(
    ("table", "changes", "message"),
    [
        ("tracks", {"speed_mps": True}, "row 1: speed_mps is True, which is not a number"),
        ("tracks", {"speed_mps": "4"}, "row 1: speed_mps is '4', which is not a number"),
        ("tracks", {"x_m": 1e300}, r"row 1: x_m is 1e\+300, which is not a number"),
        ("tracks", {"actor": 1.5}, "row 1: actor is 1.5, which is not a name"),
        ("lanes", {"x_m": "0 1"}, "row 1: x_m is '0 1', which is not a list of numbers"),
        ("lanes", {"following": "l"}, "row 1: following is 'l', which is not a list of lanes"),
        ("lanes", {"is_intersection": "no"}, "row 1: is_intersection is 'no', which is not true or false"),
    ],
)
def test_values_of_another_kind_are_named_with_file_and_row(tmp_path, table, changes, message):
    tables = {"tracks": recording().tracks, "lanes": recording().lanes}
    tables[table] = tables[table].assign(**changes)
    for name, content in tables.items():
        content.to_parquet(tmp_path / f"{name}.parquet")
    with pytest.raises(SourceError, match=rf"{table}\.parquet {message}"):
        read_tables(tmp_path, "mine")


def test_times_since_1970_are_read_and_nanoseconds_are_named(tmp_path):
    row = recording().tracks.iloc[0]
    tracks = pd.DataFrame(
        [row.to_dict() | {"time_s": step / 2, "s_m": step * 1.5, "x_m": step * 1.5} for step in range(12)]
    )
    recording().lanes.to_parquet(tmp_path / "lanes.parquet")
    tracks.assign(time_s=1.8e9 + tracks["time_s"]).to_parquet(tmp_path / "tracks.parquet")
    assert check(read_tables(tmp_path, "mine"), 3.0).tracks["time_s"].tolist() == (1.8e9 + tracks["time_s"]).tolist()
    nanoseconds = 1_800_000_000_000_000_000 + (tracks["time_s"] * 1e9).astype("int64")
    tracks.assign(time_s=nanoseconds).to_parquet(tmp_path / "tracks.parquet")
    with pytest.raises(SourceError, match="time_s is in nanoseconds: divide it by 1e9"):
        check(read_tables(tmp_path, "mine"), 3.0)


def test_names_that_are_numbers_are_text(tmp_path):
    given = recording()
    given.tracks.assign(actor=[7, 8]).to_parquet(tmp_path / "tracks.parquet")
    given.lanes.to_parquet(tmp_path / "lanes.parquet")
    assert read_tables(tmp_path, "mine").tracks["actor"].tolist() == ["7", "8"]


@pytest.mark.parametrize("value", ["False", 1, "no"])
def test_junctions_are_flags(value):
    """Texts such as "False" would all be true."""
    given = recording()
    with pytest.raises(SourceError, match="is_intersection of lanes must be true or false"):
        check(Recording(given.tracks, given.lanes.assign(is_intersection=value)), 3.0)


def test_who_is_off_the_lanes_may_be_far_from_its_lane():
    far = recording(y_m=50.0)
    with pytest.raises(SourceError, match="is off its lane"):
        check(far, 3.0)
    flagged = Recording(far.tracks.assign(place=["lane", "off_lane"]), far.lanes)
    assert check(flagged, 3.0).tracks["place"].tolist() == ["lane", "off_lane"]
    assert check(recording(), 3.0).tracks["place"].tolist() == ["lane", "lane"]
    with pytest.raises(SourceError, match="has the place 'moon'"):
        check(Recording(far.tracks.assign(place="moon"), far.lanes), 3.0)
