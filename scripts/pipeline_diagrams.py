"""Draw one SVG per pipeline in `docs/images/pipelines`: its nodes from left to right, coloured by stage.

An arrow joins two nodes if the second reads what the first wrote; arrows that others imply are left out. Nodes that
draw a figure are one box. `make reference` draws the diagrams; a test compares them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import networkx as nx
from kedro.pipeline import Pipeline

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs/images/pipelines"
STAGES = {
    "ingestion": "#dcebf7",
    "features": "#e3f1dd",
    "training": "#fde8cf",
    "evaluation": "#efe0f3",
    "reporting": "#e9e9e9",
}
"""Colour of each stage."""
_BOX = 158, 30
_GAP = 46, 14
_MARGIN = 12
_LEGEND = 30
_FIGURES = "draw figures"


Point = tuple[float, float]
Key = str | tuple[str, str, int]
"""A node, or the slot of an arrow in a column."""


class Box(NamedTuple):
    """A node, or all that draw figures: its label, stage, and place (left, top)."""

    label: str
    stage: str
    left: float
    top: float


def node_graph(pipeline: Pipeline) -> nx.DiGraph:
    """Return the nodes of a pipeline as a graph without arrows that others imply; attributes label and stage."""
    graph = nx.DiGraph()
    writers: dict[str, str] = {}
    for node in pipeline.nodes:
        name = _box_name(node.name)
        graph.add_node(name, stage=next(stage for stage in STAGES if stage in node.tags))
        writers |= dict.fromkeys(node.outputs, name)
    for node in pipeline.nodes:
        target = _box_name(node.name)
        for read in node.inputs:
            if read in writers and writers[read] != target:
                graph.add_edge(writers[read], target)
    reduced = nx.transitive_reduction(graph)
    reduced.add_nodes_from(graph.nodes(data=True))
    return reduced


def place_boxes(graph: nx.DiGraph) -> tuple[dict[str, Box], list[list[Point]]]:
    """Return the boxes of a graph and the ways of its arrows.

    A node is in the column of the longest way to it. An arrow that skips columns has a row of its own in each of them,
    so that it passes no box. Rows are in the order of the mean row of what comes before.
    """
    columns = list(nx.topological_generations(graph))
    column_of = {name: column for column, names in enumerate(columns) for name in names}
    before: dict[Key, list[Key]] = {name: [] for name in graph}
    slots: list[list[Key]] = [sorted(names) for names in columns]
    ways: list[list[Key]] = []
    for first, second in sorted(graph.edges):
        way: list[Key] = [first]
        for column in range(column_of[first] + 1, column_of[second]):
            slot = (first, second, column)
            slots[column].append(slot)
            before[slot] = [way[-1]]
            way.append(slot)
        before[second].append(way[-1])
        ways.append([*way, second])
    row: dict[Key, float] = {}
    for keys in slots:
        wanted = {key: _mean([row[other] for other in before[key]]) for key in keys}
        keys.sort(key=lambda key: (wanted[key], str(key)))
        row |= {key: float(place) for place, key in enumerate(keys)}
    place = {key: _point(column, row[key]) for column, keys in enumerate(slots) for key in keys}
    boxes = {name: Box(name, graph.nodes[name]["stage"], *place[name]) for name in graph}
    return boxes, [[place[key] for key in way] for way in ways]


def render_svg(name: str, pipeline: Pipeline) -> str:
    """Return the diagram of a pipeline."""
    graph = node_graph(pipeline)
    boxes, ways = place_boxes(graph)
    legend_width = _MARGIN + len(STAGES) * 92
    width = max(legend_width, max(box.left for box in boxes.values()) + _BOX[0] + _MARGIN)
    height = max(top for way in [*ways, [(0.0, box.top) for box in boxes.values()]] for _, top in way)
    height += _BOX[1] + _MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" font-family="system-ui, sans-serif" font-size="12" role="img">',
        f"<title>Pipeline {escape(name)}</title>",
        f'<rect width="{width:g}" height="{height:g}" rx="6" fill="#ffffff"/>',
        '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="3" orient="auto">'
        '<path d="M0,0 L7,3 L0,6 z" fill="#777777"/></marker></defs>',
    ]
    for place, (stage, color) in enumerate(STAGES.items()):
        left = _MARGIN + place * 92
        lines.append(f'<rect x="{left}" y="{_MARGIN}" width="12" height="12" fill="{color}" stroke="#999999"/>')
        lines.append(f'<text x="{left + 17}" y="{_MARGIN + 10}" fill="#333333">{stage}</text>')
    lines += [_arrow(way) for way in ways]
    for box in boxes.values():
        lines.append(
            f'<rect x="{box.left:g}" y="{box.top:g}" width="{_BOX[0]}" height="{_BOX[1]}" rx="5" '
            f'fill="{STAGES[box.stage]}" stroke="#888888"/>'
        )
        lines.append(
            f'<text x="{box.left + _BOX[0] / 2:g}" y="{box.top + 19:g}" text-anchor="middle" fill="#222222">'
            f"{escape(_shortened(box.label))}</text>"
        )
    return "\n".join([*lines, "</svg>"]) + "\n"


def diagrams() -> dict[Path, str]:
    """Return the file and the diagram of each registered pipeline but the default one."""
    from terrarium.pipeline_registry import register_pipelines

    pipelines = {name: pipeline for name, pipeline in register_pipelines().items() if name != "__default__"}
    return {FOLDER / f"{name}.svg": render_svg(name, pipeline) for name, pipeline in pipelines.items()}


def main() -> int:
    """Write the diagrams, and remove those of pipelines that are gone."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    drawn = diagrams()
    for path in set(FOLDER.glob("*.svg")) - set(drawn):
        path.unlink()
    for path, text in drawn.items():
        path.write_text(text, encoding="utf-8")
    sys.stderr.write(f"{len(drawn)} diagrams in {FOLDER.relative_to(ROOT)}\n")
    return 0


def _box_name(name: str) -> str:
    short = name.rpartition(".")[2]
    return _FIGURES if short.startswith("draw_") else short


def _shortened(label: str) -> str:
    return label if len(label) <= 24 else label[:22] + "..."


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _point(column: int, row: float) -> Point:
    return _MARGIN + column * (_BOX[0] + _GAP[0]), _MARGIN + _LEGEND + row * (_BOX[1] + _GAP[1])


def _arrow(way: Sequence[Point]) -> str:
    """Return the curve from the right side of the first box to the left side of the last, through all slots."""
    half, bend = _BOX[1] / 2, _GAP[0] * 0.7
    path = f"M{way[0][0] + _BOX[0]:g},{way[0][1] + half:g}"
    for place, ((left, top), (next_left, next_top)) in enumerate(pairwise(way)):
        if place:
            path += f" H{left + _BOX[0]:g}"
        x1, y1, y2 = left + _BOX[0], top + half, next_top + half
        path += f" C{x1 + bend:g},{y1:g} {next_left - bend:g},{y2:g} {next_left:g},{y2:g}"
    return f'<path d="{path}" fill="none" stroke="#777777" marker-end="url(#tip)"/>'


if __name__ == "__main__":
    raise SystemExit(main())
