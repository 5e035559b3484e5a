"""Small valid inputs of every reader, and what their tables must keep."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from terrarium.sources.files import is_name
from terrarium.sources.readers import read
from terrarium.sources.traffic.checks import LARGEST_SPEED, check
from terrarium.sources.traffic.tables import LANE_COLUMNS, Recording


@dataclass(frozen=True)
class Case:
    """A reader with a valid input.

    Attributes:
        files: name -> content.
        read: reads the folder of the files.
        find_fault: returns a sentence about a table that breaks its contract, None for one that keeps it.
    """

    files: dict[str, bytes]
    read: Callable[[Path], Any]
    find_fault: Callable[[Any], str | None]


def find_node_fault(table: pd.DataFrame) -> str | None:
    """Return what is wrong with a table of nodes."""
    ids, parents = table["id"].to_numpy(), table["parent"].to_numpy()
    if ids.min() < 0 or ids.max() >= 2**31 or parents.max() >= 2**31:
        return "an id is outside of 0 to 2^31 - 1"
    if not np.isin(parents[parents != -1], ids).all():
        return "a parent is no node"
    if not all(is_name(name) for name in table["name"].dropna()) or not all(map(is_name, table["rank"].unique())):
        return "a name or rank is no text"
    if "key" in table:
        pairs = table[["id", "key"]].drop_duplicates()
        if not (pairs["id"].is_unique and pairs["key"].is_unique and all(map(is_name, pairs["key"]))):
            return "a key is of two nodes"
    if "length" in table and not (table.loc[parents >= 0, "length"] > 0).all():
        return "a length is not above 0"
    named = table.drop_duplicates(["id", "name"])
    return None if named["id"].is_unique else "a node has two names"


def find_graph_fault(graph: Any) -> str | None:
    """Return what is wrong with a knowledge graph."""
    names = [*graph.entities["entity"], *graph.relations["relation"]]
    if not all(map(is_name, names)):
        return "a name is no text"
    if graph.triples.empty or graph.triples[["head", "relation", "tail"]].isna().any().any():
        return "a triple has no name"
    if set(map(str.lower, graph.triples.astype(str).iloc[0, :3])) & {"subject", "predicate"}:
        return "the header is a triple"
    return None


def find_pair_fault(table: pd.DataFrame) -> str | None:
    """Return what is wrong with word pairs."""
    if not np.isfinite(table["score"]).all() or table.empty:
        return "a score is not finite"
    return None if all(map(is_name, [*table["word1"], *table["word2"]])) else "a word is no text"


def find_set_fault(graphs: Any) -> str | None:
    """Return what is wrong with labelled graphs."""
    sizes, edges = np.diff(graphs.node_offset), np.diff(graphs.edge_offset)
    owner = np.repeat(np.arange(len(sizes)), edges)
    if len(sizes) != len(graphs.label) or (sizes < 1).any() or len(owner) != len(graphs.edge):
        return "nodes, edges and classes do not fit"
    if (graphs.edge < 0).any() or (graphs.edge >= sizes[owner][:, None]).any():
        return "an edge leaves its graph"
    return None if np.isfinite(graphs.x).all() and np.isfinite(graphs.edge_x).all() else "a feature is not finite"


def find_recording_fault(recording: Recording) -> str | None:
    """Return what is wrong with a recording."""
    numbers = recording.tracks.select_dtypes("number")
    if numbers.shape[1] != 8 or not np.isfinite(numbers).all().all():
        return "a number is not finite"
    if recording.tracks["speed_mps"].max() > LARGEST_SPEED or recording.tracks["heading_rad"].abs().max() > 6.2832:
        return "a speed or heading is impossible"
    texts = recording.tracks.drop(columns=numbers.columns)
    return None if all(map(is_name, texts.to_numpy().ravel())) else "a name is no text"


def find_wordnet_fault(wordnet: Any) -> str | None:
    """Return what is wrong with WordNet's tables."""
    keys = set(zip(wordnet.synsets["pos"], wordnet.synsets["offset"], strict=True))
    if len(keys) < len(wordnet.synsets):
        return "an offset is of two synsets"
    targets = set(zip(wordnet.relations["target_pos"], wordnet.relations["target_offset"], strict=True))
    if targets - keys:
        return "a pointer leads nowhere"
    return None if all(map(is_name, wordnet.senses["lemma"])) else "a lemma is no text"


def _recorded(kind: str) -> Callable[[Path], Recording]:
    return lambda folder: check(read(kind, folder, source="own"), 3.0)


def _parquet(table: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    table.to_parquet(out)
    return out.getvalue()


def _tracks() -> tuple[pd.DataFrame, pd.DataFrame]:
    time = np.arange(12) / 10
    tracks = pd.concat(
        pd.DataFrame(
            {
                "scene": "s", "source": "a", "map": "m", "time_s": time, "actor": actor, "type": "vehicle", "lane": "l",
                "s_m": speed * time, "x_m": speed * time, "y_m": 0.0, "speed_mps": speed, "heading_rad": 0.0,
                "length_m": 4.0, "width_m": 2.0,
            }
        )
        for actor, speed in (("1", 5.0), ("2", 9.0))
    )  # fmt: skip
    lanes = pd.DataFrame([["m", "l", 30.0, False, [], [], [], [0.0, 30.0], [0.0, 0.0]]], columns=list(LANE_COLUMNS))
    return tracks.reset_index(drop=True), lanes


def _carla() -> dict[str, bytes]:
    box = [[x, y, z] for x in (-2.0, 2.0) for y in (-1.0, 1.0) for z in (0.0, 1.5)]
    rows = [
        {
            "actor_id": actor, "actor_type": "vehicle.audi.a2", "actor_location_xyz": [speed * time, 0.0, 0.0],
            "actor_heading_xyz": [1.0, 0.0, 0.0], "actor_bbox": box, "lane_id": -1, "road_id": 1,
            "distance_from_lane_start": speed * time, "timestamp": 7.0 + time, "actor_speed_lon": speed,
            "actor_speed_lat": 0.0, "map": "town", "scene_id": "first",
        }
        for time in np.arange(12) / 10 for actor, speed in ((1, 5.0), (2, 9.0))
    ]  # fmt: skip
    polygon = "POLYGON ((0 2, 10 2, 20 2, 20 -2, 10 -2, 0 -2, 0 2))"
    lanes = {"lane_id": ["1_-1", "1_1"], "is_intersection": [False, True], "length_m": 20.0, "polygon_wkt": polygon}
    links = {"from_lane": ["1_-1"], "to_lane": ["1_1"], "relation": "opposite"}
    tables = {"scene_1.tracks.parquet": rows, "lanes.parquet": lanes, "lane_links.parquet": links}
    return {name: _parquet(pd.DataFrame(content)) for name, content in tables.items()}


def _argoverse() -> dict[str, bytes]:
    segment = {
        "id": 1, "is_intersection": False, "successors": [], "left_neighbor_id": 2, "right_neighbor_id": None,
        "left_lane_boundary": [{"x": 0.0, "y": 2.0}, {"x": 60.0, "y": 2.0}],
        "right_lane_boundary": [{"x": 0.0, "y": -2.0}, {"x": 60.0, "y": -2.0}],
    }  # fmt: skip
    line = [{"x": 0.0, "y": 4.0}, {"x": 60.0, "y": 4.0}]
    other = {**segment, "id": 2, "centerline": line, "left_neighbor_id": None}
    rows = [
        {
            "track_id": name, "object_type": "vehicle", "timestep": step, "position_x": speed * step / 10,
            "position_y": 0.0, "heading": 0.0, "velocity_x": speed, "velocity_y": 0.0, "scenario_id": "abc",
        }
        for step in range(12) for name, speed in (("a", 8.0), ("b", 5.0))
    ]  # fmt: skip
    content = json.dumps({"lane_segments": {"1": segment, "2": other}}, indent=1)
    return {"scenario_abc.parquet": _parquet(pd.DataFrame(rows)), "log_map_archive_abc.json": content.encode()}


def _commonroad() -> dict[str, bytes]:
    def point(x: float, y: float) -> str:
        return f"<point><x>{x}</x><y>{y}</y></point>"

    def state(tag: str, step: int) -> str:
        place = f"<position>{point(10.0 + step, 0.5)}</position><orientation><exact>0.1</exact></orientation>"
        values = f"<time><exact>{step}</exact></time><velocity><exact>10</exact></velocity>"
        return f"<{tag}>{place}{values}</{tag}>"

    lanelets = "".join(
        f'<lanelet id="{number}"><leftBound>{point(0, y + 2)}{point(60, y + 2)}</leftBound>'
        f"<rightBound>{point(0, y - 2)}{point(60, y - 2)}</rightBound>{link}</lanelet>"
        for number, y, link in ((1, 0, '<adjacentRight ref="2" drivingDir="same"/>'), (2, -4, '<successor ref="1"/>'))
    )
    shape = "<shape><rectangle><length>4</length><width>2</width></rectangle></shape>"
    states = "".join(state("state", step) for step in range(1, 12))
    car = f'<dynamicObstacle id="9"><type>car</type>{shape}{state("initialState", 0)}<trajectory>{states}</trajectory>'
    text = f'<commonRoad benchmarkID="A_1" timeStepSize="0.1">{lanelets}{car}</dynamicObstacle></commonRoad>'
    return {"a.xml": text.encode()}


def _sumo() -> dict[str, bytes]:
    lane = '<lane id="in_0" index="0" length="60" shape="0,0 60,0"/>'
    link = '<connection from="in" to="out" fromLane="0" toLane="0"/>'
    out = '<edge id="out" from="B" to="C"><lane id="out_0" index="0" length="60" shape="60,0 120,0"/></edge>'
    steps = "".join(
        f'<timestep time="{step / 10}"><vehicle id="a" x="{10 + step}" y="0.5" angle="90" type="lorry" speed="10"/>'
        f'<person id="p" x="30" y="3" angle="0" speed="0"/></timestep>'
        for step in range(12)
    )
    return {
        "t.net.xml": f'<net><edge id="in" from="A" to="B">{lane}</edge>{out}{link}</net>'.encode(),
        "t.fcd.xml": f"<fcd-export>{steps}</fcd-export>".encode(),
        "t.add.xml": b'<additional><vType id="lorry" vClass="truck" length="12" width="2.5"/></additional>',
    }


def _tu() -> dict[str, bytes]:
    edges, owner, label = [], [], []
    for graph in range(4):
        pairs = [(1, 2), (2, 3), (1, 3)] if graph % 2 else [(1, 2), (2, 3)]
        edges += [f"{3 * graph + a}, {3 * graph + b}" for one, two in pairs for a, b in ((one, two), (two, one))]
        owner += [str(graph + 1)] * 3
        label += ["0", "1", "0"]
    parts = {
        "A": edges,
        "graph_indicator": owner,
        "graph_labels": ["1", "-1"] * 2,
        "node_labels": label,
        "node_attributes": [f"{i}.5, 1e-3" for i in range(len(label))],
        "edge_labels": ["0", "1"] * (len(edges) // 2),
    }
    return {f"T/raw/T_{name}.txt": ("\n".join(lines) + "\n").encode() for name, lines in parts.items()}


_TABLE = b"id,parent,name,rank,length\n1,,life,,\n2,1,cats,family,0.5\n3,1,dogs,family,2\n4,2,lion,species,1e-1\n"
_TEXTS = b"child,parent,name\nmammal,animal,Mammals\ndog,mammal,\ncat,mammal,Cats\nbird,animal,\n"
_OBO = b"""format-version: 1.2

[Term]
id: GO:0000001
name: thing
namespace: things

[Term]
id: GO:0000005
name: part \\! of
is_a: GO:0000001 {source="x"} ! thing

[Term]
id: GO:0000007
is_a: GO:0000005 ! part
is_a: GO:0000001
relationship: part_of UBERON:1

[Typedef]
id: part_of
name: part of
"""
_NODES = b"".join(
    f"{own}\t|\t{up}\t|\t{rank}\t|\tXX\t|\n".encode()
    for own, up, rank in ((1, 1, "no rank"), (2, 1, "superkingdom"), (9604, 2, "family"), (9606, 9604, "species"))
)
_NAMES = b"".join(
    f"{own}\t|\t{name}\t|\t\t|\t{kind} name\t|\n".encode()
    for own, name, kind in (
        (1, "root", "scientific"),
        (2, "Bacteria", "scientific"),
        (9604, "great apes", "common"),
        (9604, "Hominidae", "scientific"),
        (9606, "Homo sapiens", "scientific"),
    )
)
_NEWICK = b"((A:0.1,'B b':0.2)95:1.5,(C:1[&&NHX:S=x],D_d:2e-1)99:0.3)root;\n"
_LINEAGES = (
    b"RS_1\td__Bacteria;p__A;c__B;g__C;s__C d\nRS_2\td__Bacteria;p__A;c__B;g__C;s__C e\nGB_3\td__Bacteria;p__F\n"
)
_TRAIN = b"".join(f"p{i}\tr{i % 3}\tp{(i * 7 + 1) % 12}\n".encode() for i in range(12))
_KGX_NODES = b"".join(
    json.dumps({"id": f"{kind[0]}:{i}", "name": f"the {i}", "category": [f"biolink:{kind}"]}).encode() + b"\n"
    for i, kind in enumerate(("Gene", "Disease", "Gene", "Disease"))
)
_KGX_EDGES = b"".join(
    json.dumps({"subject": one, "predicate": "biolink:affects", "object": two, "affinity": 1.5}).encode() + b"\n"
    for one, two in (("G:0", "D:1"), ("G:2", "D:3"), ("G:0", "G:2"))
)
_KGX_TSV = {
    "nodes.tsv": b"id\tname\tcategory\nG:0\tthe gene\tbiolink:Gene|biolink:NamedThing\nD:1\tthe disease\tDisease\n",
    "edges.tsv": b"subject\tpredicate\tobject\tobject_aspect_qualifier\nG:0\tbiolink:affects\tD:1\tactivity\n",
}
_PAIRS = b"word1\tword2\tPOS\tSimLex999\nold\tnew\tA\t1.58\nsmart\tbright\tA\t9.2\nhappy\tglad\tA\t9.17\n"
_DATA = b"""  1 The licence.
00000010 03 n 01 thing 0 001 ~ 00000020 n 0000 | what there is
00000020 05 n 02 pet 0 House_pet 1 001 @ 00000010 n 0000 | an animal at home
00000030 05 n 01 Rex 0 003 @i 00000020 n 0000 @ 00000010 n 0000 ! 00000020 n 0102 | a dog
"""
_INDEX = b"""  1 The licence.
thing n 1 0 1 0 00000010
pet n 1 1 @ 1 0 00000020
rex n 1 1 @ 1 0 00000030
"""
_SPLITS = {"train": "train.txt", "valid": "valid.txt", "test": "test.txt"}


def _own_tables() -> dict[str, bytes]:
    tracks, lanes = _tracks()
    return {"tracks.parquet": _parquet(tracks), "lanes.parquet": _parquet(lanes)}


CASES: dict[str, Case] = {
    "table (CSV, integers)": Case({"t.csv": _TABLE}, lambda f: read("table", f / "t.csv"), find_node_fault),
    "table (CSV, text)": Case({"t.csv": _TEXTS}, lambda f: read("table", f / "t.csv"), find_node_fault),
    "table (Parquet)": Case(
        {"t.parquet": _parquet(pd.read_csv(io.BytesIO(_TABLE)))},
        lambda f: read("table", f / "t.parquet"),
        find_node_fault,
    ),
    "taxdump": Case(
        {"nodes.dmp": _NODES, "names.dmp": _NAMES}, lambda f: read("taxdump", f, cache=f / "cache"), find_node_fault
    ),
    "OBO": Case({"t.obo": _OBO}, lambda f: read("obo", f / "t.obo"), find_node_fault),
    "Newick": Case({"t.nwk": _NEWICK}, lambda f: read("newick", f / "t.nwk"), find_node_fault),
    "taxonomy strings": Case({"t.tsv": _LINEAGES}, lambda f: read("lineages", f / "t.tsv"), find_node_fault),
    "WordNet": Case(
        {"data.noun": _DATA, "index.noun": _INDEX}, lambda f: read("wordnet", f, parts="n"), find_wordnet_fault
    ),
    "WordNet hypernyms": Case(
        {"data.noun": _DATA, "index.noun": _INDEX}, lambda f: read("wordnet_nouns", f), find_node_fault
    ),
    "word pairs": Case({"w.txt": _PAIRS}, lambda f: read("word_pairs", f / "w.txt"), find_pair_fault),
    "triples": Case(
        {"train.txt": _TRAIN, "valid.txt": _TRAIN[:27], "test.txt": _TRAIN[27:54]},
        lambda f: read("files", f, **_SPLITS),
        find_graph_fault,
    ),
    "triples with dictionaries": Case(
        {
            "train.txt": _TRAIN,
            "entities.txt": b"".join(f"p{i}\t{i}\n".encode() for i in range(12)),
            "relations.txt": b"r0\t0\nr1\t1\nr2\t2\n",
        },
        lambda f: read("files", f, train="train.txt", dictionaries=("entities.txt", "relations.txt")),
        find_graph_fault,
    ),
    "KGX (JSON Lines)": Case(
        {"nodes.jsonl": _KGX_NODES, "edges.jsonl": _KGX_EDGES},
        lambda f: read("kgx", f, nodes="nodes.jsonl", edges="edges.jsonl", style="keepall"),
        find_graph_fault,
    ),
    "KGX (TSV)": Case(
        _KGX_TSV, lambda f: read("kgx", f, nodes="nodes.tsv", edges="edges.tsv", style="keepall"), find_graph_fault
    ),
    "TU": Case(_tu(), lambda f: read("tu", f, name="T"), find_set_fault),
    "tracks and lanes": Case(_own_tables(), _recorded("tables"), find_recording_fault),
    "CARLA": Case(_carla(), _recorded("carla"), find_recording_fault),
    "Argoverse": Case(_argoverse(), _recorded("argoverse"), find_recording_fault),
    "CommonRoad": Case(_commonroad(), _recorded("commonroad"), find_recording_fault),
    "SUMO": Case(_sumo(), _recorded("sumo"), find_recording_fault),
}
