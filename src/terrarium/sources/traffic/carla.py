"""CARLA recordings: a folder of lanes.parquet, lane_links.parquet and scene_*.tracks.parquet."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from terrarium.sources.errors import SourceError
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
    frame = pd.read_parquet(file)
    missing = [column for column in _COLUMNS if column not in frame]
    if missing:
        raise SourceError(f"{file.name} has no column {missing[0]}")
    empty = [column for column in _COLUMNS if frame[column].isna().any()]
    if empty:
        raise SourceError(f"{file.name} has rows without {empty[0]}: fill the column or drop the rows")
    types = {name: actor_type(name) for name in frame["actor_type"].unique()}
    place, heading = (np.stack(frame[f"actor_{name}_xyz"].to_list()) for name in ("location", "heading"))
    extents = {actor: _extent(box) for actor, box in frame.groupby("actor_id")["actor_bbox"].first().items()}
    return pd.DataFrame(
        {
            "scene": source + "/" + frame["scene_id"].astype("str"),
            "source": source,
            "map": frame["map"].astype("str"),
            "time_s": (frame["timestamp"] - frame["timestamp"].min()).round(6),
            "actor": frame["actor_id"].astype("str"),
            "type": frame["actor_type"].map(types),
            "lane": frame["road_id"].astype("str") + "_" + frame["lane_id"].astype("str"),
            "s_m": frame["distance_from_lane_start"],
            "x_m": place[:, 0],
            "y_m": place[:, 1],
            "speed_mps": np.hypot(frame["actor_speed_lon"], frame["actor_speed_lat"]),
            "heading_rad": np.arctan2(heading[:, 1], heading[:, 0]),
            "length_m": frame["actor_id"].map({actor: size[0] for actor, size in extents.items()}),
            "width_m": frame["actor_id"].map({actor: size[1] for actor, size in extents.items()}),
        }
    )


def _extent(box: np.ndarray) -> tuple[float, float]:
    corners = np.stack(list(box))
    length, width = (corners.max(axis=0) - corners.min(axis=0))[:2]
    return float(length), float(width)


def _lanes(folder: Path) -> pd.DataFrame:
    lanes, links = pd.read_parquet(folder / "lanes.parquet"), pd.read_parquet(folder / "lane_links.parquet")
    unknown = sorted(set(links["relation"]) - _LINK_NAMES.keys())
    if unknown:
        raise SourceError(f"lane_links.parquet has the relation {unknown[0]!r}: known are {', '.join(LINKS)}")
    links = links.assign(relation=links["relation"].map(_LINK_NAMES)).drop_duplicates()
    others = links.groupby(["relation", "from_lane"])["to_lane"].agg(sorted).to_dict()
    lines = [_centre_line(text) for text in lanes["polygon_wkt"]]
    return pd.DataFrame(
        {
            "lane": lanes["lane_id"].astype("str"),
            "length_m": lanes["length_m"],
            "is_intersection": lanes["is_intersection"].astype(bool),
            **{link: [others.get((link, lane), []) for lane in lanes["lane_id"]] for link in LINKS},
            "x_m": [line[:, 0].tolist() for line in lines],
            "y_m": [line[:, 1].tolist() for line in lines],
        }
    )


def _centre_line(polygon: str, points: int = 12) -> np.ndarray:
    """Return the middle between the two sides of a lane's polygon, which goes along one side and back the other."""
    pairs = re.findall(r"(-?[\d.]+(?:[eE][-+]?\d+)?) (-?[\d.]+(?:[eE][-+]?\d+)?)", polygon)
    ring = np.array(pairs, dtype=np.float64)[:-1]
    half = len(ring) // 2
    middle = (ring[:half] + ring[::-1][:half]) / 2
    return middle[np.unique(np.linspace(0, half - 1, points).astype(int))].round(2)
