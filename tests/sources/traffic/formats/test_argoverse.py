import json

import numpy as np
import pandas as pd
import pytest

from terrarium.sources.errors import SourceError
from terrarium.sources.traffic.checks import check
from terrarium.sources.traffic.formats.argoverse import read_argoverse


def points(*places):
    return [{"x": float(x), "y": float(y), "z": 0.0} for x, y in places]


def lane(number, y, *, turned=False, **links):
    start, end = (60.0, 0.0) if turned else (0.0, 60.0)
    sign = -1.0 if turned else 1.0
    return {
        "id": number, "is_intersection": False, "lane_type": "VEHICLE", "predecessors": [], "successors": [],
        "left_neighbor_id": None, "right_neighbor_id": None,
        "left_lane_boundary": points((start, y + 2 * sign), (end, y + 2 * sign)),
        "right_lane_boundary": points((start, y - 2 * sign), (end, y - 2 * sign)),
    } | links  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """One scenario: two lanes one way and one against, and road users on and off them at three instants."""
    scenario = tmp_path / "abc"
    scenario.mkdir()
    lanes = [
        lane(1, 0.0, left_neighbor_id=3, right_neighbor_id=2, successors=[99]),
        lane(2, -4.0, left_neighbor_id=1),
        lane(3, 4.0, turned=True),
    ]
    content = {"lane_segments": {str(item["id"]): item for item in lanes}, "drivable_areas": {}}
    (scenario / "log_map_archive_abc.json").write_text(json.dumps(content))
    users = [("a", "vehicle", 10.0, 0.1, 8.0), ("b", "bus", 30.0, -4.0, 5.0), ("c", "cyclist", 40.0, 4.2, -3.0)]
    users += [
        ("waits", "vehicle", 50.0, 0.0, 0.0),
        ("parked", "vehicle", 50.0, -6.0, 0.0),
        ("cone", "construction", 20.0, 0.0, 0.0),
    ]
    users += [("field", "pedestrian", 20.0, 30.0, 1.0)]
    rows = [
        {
            "track_id": name, "object_type": kind, "timestep": step, "position_x": x + speed * step / 10,
            "position_y": y, "heading": np.pi if speed < 0 else 0.0, "velocity_x": speed, "velocity_y": 0.0,
            "scenario_id": "abc", "city": "nowhere",
        }
        for step in (0, 10, 20)
        for name, kind, x, y, speed in users
    ]  # fmt: skip
    pd.DataFrame(rows).to_parquet(scenario / "scenario_abc.parquet")
    return tmp_path


def test_a_scenario_becomes_the_two_tables(folder):
    read = check(read_argoverse(folder, "argoverse"), 3.0)
    first = read.tracks[read.tracks["time_s"] == 0.0].set_index("actor")
    on_lane = first[first["place"] == "lane"]
    assert on_lane["lane"].to_dict() == {"a": "1", "b": "2", "c": "3", "waits": "1"}
    assert on_lane["type"].to_dict() == {"a": "vehicle", "b": "vehicle", "c": "cyclist", "waits": "vehicle"}
    assert on_lane["s_m"].to_numpy() == pytest.approx([10.0, 30.0, 20.0, 50.0])
    assert on_lane["speed_mps"].tolist() == [8.0, 5.0, 3.0, 0.0]


def test_parked_vehicles_and_road_users_off_the_lanes_are_kept_and_flagged(folder):
    places = check(read_argoverse(folder, "argoverse"), 3.0).tracks.groupby("actor")["place"].first()
    assert places.to_dict() == dict.fromkeys("abc", "lane") | {
        "waits": "lane", "parked": "parked", "field": "off_lane"
    }  # fmt: skip


def test_only_cyclists_are_put_on_bicycle_lanes(folder):
    """Lane 2 becomes a bicycle lane: the bus near it takes the next lane for vehicles, a cyclist there stays."""
    file = folder / "abc" / "log_map_archive_abc.json"
    content = json.loads(file.read_text())
    content["lane_segments"]["2"]["lane_type"] = "BIKE"
    file.write_text(json.dumps(content))
    scenario = folder / "abc" / "scenario_abc.parquet"
    frame = pd.read_parquet(scenario)
    frame.loc[frame["track_id"] == "b", "position_y"] = -2.4
    frame.to_parquet(scenario)
    for kind, lane in (("bus", "1"), ("cyclist", "2")):
        frame.assign(object_type=frame["object_type"].mask(frame["track_id"] == "b", kind)).to_parquet(scenario)
        tracks = read_argoverse(folder, "a").tracks
        assert set(tracks.loc[tracks["actor"] == "b", "lane"]) == {lane}


def test_a_scenario_without_road_users_is_refused(folder):
    file = folder / "abc" / "scenario_abc.parquet"
    pd.read_parquet(file).assign(object_type="static").to_parquet(file)
    with pytest.raises(SourceError, match="has no road user"):
        read_argoverse(folder, "a")


def test_neighbours_that_run_against_are_opposite_and_lanes_outside_the_map_no_links(folder):
    lanes = read_argoverse(folder, "argoverse").lanes.set_index("lane")
    assert lanes.loc["1", ["following", "neighbour", "opposite"]].tolist() == [[], ["2"], ["3"]]
    assert lanes["length_m"].to_numpy() == pytest.approx(60.0)


def test_what_is_missing_or_unknown_is_told(folder, tmp_path_factory):
    with pytest.raises(SourceError, match=r"has no scenario_\*.parquet"):
        read_argoverse(tmp_path_factory.mktemp("empty"), "a")
    file = folder / "abc" / "scenario_abc.parquet"
    frame = pd.read_parquet(file)
    frame.assign(object_type="hovercraft").to_parquet(file)
    with pytest.raises(SourceError, match="object type 'hovercraft'"):
        read_argoverse(folder, "a")
    frame.drop(columns="heading").to_parquet(file)
    with pytest.raises(SourceError, match="has no column heading"):
        read_argoverse(folder, "a")
    (folder / "abc" / "log_map_archive_abc.json").unlink()
    frame.to_parquet(file)
    with pytest.raises(SourceError, match="0 log_map_archive"):
        read_argoverse(folder, "a")
