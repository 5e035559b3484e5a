import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from terrarium.sources.errors import SourceError
from terrarium.sources.traffic.checks import check
from terrarium.sources.traffic.formats.carla import actor_type, read_carla

RECORDED = Path(__file__).parents[5] / "shared" / "data" / "scenes" / "carla_town01"


@pytest.fixture
def folder(tmp_path):
    """A folder as CARLA recordings have it: two lanes, one scene of three road users at two instants."""
    box = [[x, y, z] for x in (-2.0, 2.0) for y in (-1.0, 1.0) for z in (0.0, 1.5)]
    rows = [
        {
            "actor_id": actor, "actor_type": kind, "actor_location_xyz": [s, 0.0, 0.0],
            "actor_heading_xyz": [0.0, 1.0, 0.0], "actor_bbox": box, "lane_id": -1, "road_id": 1,
            "distance_from_lane_start": s, "timestamp": 7.0 + time, "actor_speed_lon": -3.0, "actor_speed_lat": 4.0,
            "map": "town", "scene_id": "first",
        }
        for time in (0.0, 1.0)
        for actor, kind, s in ((1, "vehicle.audi.a2", 5.0), (2, "vehicle.kawasaki.ninja", 9.0), (3, "walker.x", 1.0))
    ]  # fmt: skip
    pd.DataFrame(rows).to_parquet(tmp_path / "scene_1.tracks.parquet")
    polygon = "POLYGON ((0 2, 10 2, 20 2, 20 -2, 10 -2, 0 -2, 0 2))"
    pd.DataFrame(
        {"lane_id": ["1_-1", "1_1"], "is_intersection": [False, True], "length_m": 20.0, "polygon_wkt": polygon}
    ).to_parquet(tmp_path / "lanes.parquet")
    links = pd.DataFrame({"from_lane": ["1_-1"] * 2, "to_lane": ["1_1"] * 2, "relation": "opposite"})
    links.to_parquet(tmp_path / "lane_links.parquet")
    return tmp_path


def test_a_recording_becomes_the_two_tables(folder):
    read = check(read_carla(folder, "carla"), 3.0)
    assert read.tracks["type"].tolist() == ["vehicle", "motorcycle", "pedestrian"] * 2
    assert read.tracks["time_s"].tolist() == [0.0] * 3 + [1.0] * 3
    assert read.tracks["speed_mps"].eq(5.0).all()
    assert read.tracks["length_m"].eq(4.0).all()
    assert read.tracks["heading_rad"].to_numpy() == pytest.approx(np.pi / 2)
    lane = read.lanes.set_index("lane").loc["1_-1"]
    assert list(lane["opposite"]) == ["1_1"]
    assert np.allclose(lane["y_m"], 0.0)


def test_blueprints_have_types_and_unknown_ones_are_told():
    assert actor_type("vehicle.bh.crossbike") == "cyclist"
    with pytest.raises(SourceError, match=r"'static.prop' is neither"):
        actor_type("static.prop")


def test_what_is_missing_is_told(folder, tmp_path_factory):
    with pytest.raises(SourceError, match=r"has no lanes.parquet"):
        read_carla(tmp_path_factory.mktemp("empty"), "carla")
    pd.DataFrame({"from_lane": ["1_-1"], "to_lane": ["1_1"], "relation": "crossing"}).to_parquet(
        folder / "lane_links.parquet"
    )
    with pytest.raises(SourceError, match="relation 'crossing'"):
        read_carla(folder, "carla")


def test_scenes_of_two_maps_need_two_folders(folder):
    scene = pd.read_parquet(folder / "scene_1.tracks.parquet")
    scene.assign(map="village", scene_id="second").to_parquet(folder / "scene_2.tracks.parquet")
    with pytest.raises(SourceError, match=r"scenes of town and of village, and one lanes\.parquet"):
        read_carla(folder, "carla")
    scene.assign(map=None).to_parquet(folder / "scene_2.tracks.parquet")
    with pytest.raises(SourceError, match=r"scene_2\.tracks\.parquet row 1: map is None, which is not a name"):
        read_carla(folder, "carla")


def test_real_recordings_keep_the_contract():
    if not RECORDED.is_dir():
        pytest.skip(f"there is no {os.path.relpath(RECORDED)}")
    read = check(read_carla(RECORDED, "carla"), 3.0)
    assert read.tracks.groupby("scene")["actor"].nunique().tolist() == [26, 51]
    assert set(read.tracks["type"]) == {"vehicle", "motorcycle", "cyclist"}
    assert len(read.lanes) == 124
