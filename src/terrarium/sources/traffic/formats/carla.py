"""CARLA recordings: a folder of lanes.parquet, lane_links.parquet and scene_*.tracks.parquet."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from terrarium.sources.columns import NUMBER, read_parquet
from terrarium.sources.errors import SourceError
from terrarium.sources.traffic.cells import (
    LARGEST_NUMBER,
    read_flags,
    read_lists,
    read_numbers,
    read_texts,
    require_columns,
)
from terrarium.sources.traffic.tables import LINKS, Recording

_CYCLES = ("vehicle.bh.crossbike", "vehicle.diamondback.century", "vehicle.gazelle.omafiets")
_MOTORCYCLES = (
    "vehicle.harley-davidson.low_rider",
    "vehicle.harley-davidson.low",
    "vehicle.kawasaki.ninja",
    "vehicle.yamaha.yzf",
    "vehicle.vespa.zx125",
)
_COLUMNS = (
    "actor_id",
    "actor_type",
    "actor_location_xyz",
    "actor_heading_xyz",
    "actor_bbox",
    "lane_id",
    "road_id",
    "distance_from_lane_start",
    "timestamp",
    "actor_speed_lon",
    "actor_speed_lat",
    "map",
    "scene_id",
)
_TEXTS = ("actor_id", "actor_type", "lane_id", "road_id", "map", "scene_id")
_NUMBERS = ("distance_from_lane_start", "timestamp", "actor_speed_lon", "actor_speed_lat")
_NUMBER = NUMBER.pattern
_POLYGON = re.compile(rf"POLYGON ?\(\(((?:{_NUMBER} {_NUMBER}(?:, ?|(?=\)))){{2,}})\)\)")
_LINK_NAMES = {"following": "following", "neighbor": "neighbour", "neighbour": "neighbour", "opposite": "opposite"}


def actor_type(blueprint: str) -> str:
    """Return the actor type of a CARLA blueprint.

    `walker.*` are pedestrians, two-wheelers are listed above, other `vehicle.*` are vehicles.

    Raises:
        SourceError: the blueprint is of another kind.
    """
    if blueprint in _CYCLES:
        return "cyclist"
    if blueprint in _MOTORCYCLES:
        return "motorcycle"
    if blueprint.startswith("walker."):
        return "pedestrian"
    if blueprint.startswith("vehicle."):
        return "vehicle"
    raise SourceError(f"CARLA blueprint {blueprint!r} is neither vehicle.* nor walker.*: map it to a type")


def read_carla(path: str | Path, source: str) -> Recording:
    """Read all scenes of a folder. Times start at 0 in each scene; speed is the speed over ground.

    Args:
        path: folder of the recording.
        source: name of the source, which becomes a column and the prefix of scenes.

    Raises:
        SourceError: a file, column or value is missing, a lane relation or blueprint is unknown, or scenes are of
            different maps.
    """
    folder = Path(path)
    scenes = sorted(folder.glob("scene_*.tracks.parquet"))
    for name in ("lanes.parquet", "lane_links.parquet"):
        if not (folder / name).is_file():
            raise SourceError(f"{folder} has no {name}: a CARLA folder has lanes, lane_links and scene_*.tracks")
    if not scenes:
        raise SourceError(f"{folder} has no scene_*.tracks.parquet: there is nothing to read")
    tracks = pd.concat([_tracks(file, source) for file in scenes], ignore_index=True)
    maps = sorted(tracks["map"].unique())
    if len(maps) > 1:
        raise SourceError(
            f"{folder} has scenes of {' and of '.join(maps)}, and one lanes.parquet: give each map a folder of its own"
        )
    return Recording(tracks, _lanes(folder).assign(map=maps[0]))


def _tracks(file: Path, source: str) -> pd.DataFrame:
    frame = read_parquet(file)
    require_columns(frame, _COLUMNS, file)
    text = {name: read_texts(frame, name, file) for name in _TEXTS}
    number = {name: read_numbers(frame, name, file) for name in _NUMBERS}
    types = {name: actor_type(name) for name in text["actor_type"].unique()}
    place, heading = (
        np.stack(read_lists(frame, f"actor_{name}_xyz", file, "three numbers", (3,)))
        for name in ("location", "heading")
    )
    boxes = np.stack(read_lists(frame, "actor_bbox", file, "eight corners of three numbers", (8, 3)))
    first = pd.DataFrame(np.ptp(boxes, axis=1)[:, :2], index=text["actor_id"])
    first = first[~first.index.duplicated()]
    return pd.DataFrame(
        {
            "scene": source + "/" + text["scene_id"],
            "source": source,
            "map": text["map"],
            "time_s": (number["timestamp"] - number["timestamp"].min()).round(6),
            "actor": text["actor_id"],
            "type": text["actor_type"].map(types),
            "lane": text["road_id"] + "_" + text["lane_id"],
            "s_m": number["distance_from_lane_start"],
            "x_m": place[:, 0],
            "y_m": place[:, 1],
            "speed_mps": np.hypot(number["actor_speed_lon"], number["actor_speed_lat"]),
            "heading_rad": np.arctan2(heading[:, 1], heading[:, 0]),
            "length_m": text["actor_id"].map(first[0]),
            "width_m": text["actor_id"].map(first[1]),
        }
    )


def _lanes(folder: Path) -> pd.DataFrame:
    files = folder / "lanes.parquet", folder / "lane_links.parquet"
    lanes, links = (read_parquet(file) for file in files)
    require_columns(lanes, ("lane_id", "length_m", "is_intersection", "polygon_wkt"), files[0])
    links = _links(links, files[1])
    name, polygons = (read_texts(lanes, column, files[0]) for column in ("lane_id", "polygon_wkt"))
    unknown = sorted(set(links["relation"]) - _LINK_NAMES.keys())
    if unknown:
        raise SourceError(f"lane_links.parquet has the relation {unknown[0]!r}: known are {', '.join(LINKS)}")
    links = links.assign(relation=links["relation"].map(_LINK_NAMES)).drop_duplicates()
    others = links.groupby(["relation", "from_lane"])["to_lane"].agg(sorted).to_dict()
    lines = [_centre_line(text, row, files[0]) for row, text in enumerate(polygons, start=1)]
    return pd.DataFrame(
        {
            "lane": name,
            "length_m": read_numbers(lanes, "length_m", files[0]),
            "is_intersection": read_flags(lanes, "is_intersection", files[0]),
            **{link: [others.get((link, lane), []) for lane in name] for link in LINKS},
            "x_m": [line[:, 0].tolist() for line in lines],
            "y_m": [line[:, 1].tolist() for line in lines],
        }
    )


def _links(links: pd.DataFrame, file: Path) -> pd.DataFrame:
    """Return from_lane, to_lane and relation as texts; a map may have none."""
    columns = ("from_lane", "to_lane", "relation")
    if links.empty:
        return pd.DataFrame({name: pd.Series([], dtype="str") for name in columns})
    require_columns(links, columns, file)
    return pd.DataFrame({name: read_texts(links, name, file) for name in columns})


def _centre_line(polygon: str, row: int, file: Path, points: int = 12) -> np.ndarray:
    """Return the middle between the two sides of a lane's polygon, which goes along one side and back the other."""
    match = _POLYGON.fullmatch(polygon)
    pairs = [pair.split() for pair in match[1].split(",")] if match else []
    if len(pairs) < 5 or len(pairs) % 2 == 0 or pairs[0] != pairs[-1]:
        raise SourceError(
            f"{file} row {row}: polygon_wkt is {polygon[:40]!r}, which is not a closed POLYGON ((x y, ...))"
        )
    ring = np.array(pairs, dtype=np.float64)[:-1]
    if not (np.abs(ring) <= LARGEST_NUMBER).all():
        raise SourceError(f"{file} row {row}: polygon_wkt has a number above {LARGEST_NUMBER:.0e}; correct it")
    half = len(ring) // 2
    middle = (ring[:half] + ring[::-1][:half]) / 2
    return middle[np.unique(np.linspace(0, half - 1, points).astype(int))].round(2)
