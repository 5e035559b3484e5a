"""Positions of the entities of a small graph, and the curves of its edges.

Two columns with one row per entity and the names outside: curves stay between the columns and never cross a name. An
entity is opposite the one that its strongest edge leads to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from terrarium.common.arrays import Float64Array

Position = tuple[float, float]
LEFT, RIGHT = 0.0, 1.0
POINTS_PER_CURVE = 41
PARALLEL_ROWS, ARC, LOOP, LOOP_ROWS = 0.8, 0.3, 0.16, 0.32
"""How far curves bend: parallel edges in rows; those in one column, or to the same entity, in column distances."""


def entity_positions(edges: Sequence[tuple[str, str]], head: str, tail: str) -> dict[str, Position]:
    """Return (x, y) of every entity: x is a column, y a row counted from the middle. Give edges by strength."""
    columns: dict[str, float] = {head: LEFT}
    columns.setdefault(tail, RIGHT)
    for start, end in edges:
        if start not in columns and end not in columns:
            num_left = sum(column == LEFT for column in columns.values())
            columns[start] = LEFT if 2 * num_left <= len(columns) else RIGHT
        for entity, opposite in ((start, end), (end, start)):
            columns.setdefault(entity, RIGHT - columns[opposite] if opposite in columns else LEFT)
    return {
        entity: (column, _row(place))
        for column in (LEFT, RIGHT)
        for place, entity in enumerate(entity for entity, own in columns.items() if own == column)
    }


def _row(place: int) -> float:
    """Return 0, 1, -1, 2, -2, ...: the first is in the middle."""
    return float((place + 1) // 2 * (1 if place % 2 else -1))


def edge_curves(edges: Sequence[tuple[str, str]], positions: Mapping[str, Position]) -> list[Float64Array]:
    """Return the curve (points, 2) of each edge from its first entity to its second; no two coincide."""
    drawn: dict[frozenset[str], int] = {}
    curves = []
    for start, end in edges:
        pair = frozenset((start, end))
        curves.append(_curve(positions[start], positions[end], drawn.get(pair, 0)))
        drawn[pair] = drawn.get(pair, 0) + 1
    return curves


def _curve(start: Position, end: Position, parallel: int) -> Float64Array:
    """Return a quadratic Bézier curve, or an ellipse for an edge from an entity to itself."""
    inward = 1 - 2 * start[0]
    if start == end:
        angle = np.linspace(0, 2 * np.pi, POINTS_PER_CURVE)
        size = 1 + 0.5 * parallel
        x = start[0] + inward * LOOP / 2 * size * (1 - np.cos(angle))
        return np.stack([x, start[1] + LOOP_ROWS * size * np.sin(angle)], axis=1)
    bend = np.add(start, end) / 2
    if start[0] == end[0]:
        bend[0] += inward * (ARC + 0.15 * parallel + 0.05 * abs(end[1] - start[1]))
    else:
        bend[1] += 2 * PARALLEL_ROWS * _row(parallel)
    t = np.linspace(0, 1, POINTS_PER_CURVE)[:, None]
    return (1 - t) ** 2 * np.array(start) + 2 * t * (1 - t) * bend + t**2 * np.array(end)
