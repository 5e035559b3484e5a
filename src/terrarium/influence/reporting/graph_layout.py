"""Where the entities of a small graph stand, and how the lines between them run.

Two columns, a row an entity, with names outside: lines stay between the columns and never cross a name. An entity
stands opposite to the one that its strongest edge leads to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from terrarium.common.arrays import Float64Array

Place = tuple[float, float]
LEFT, RIGHT = 0.0, 1.0
POINTS = 41
PARALLEL_ROWS, ARC, LOOP, LOOP_ROWS = 0.8, 0.3, 0.16, 0.32
"""How far lines bend: parallel ones by rows, within a column and back to the same entity by shares of the width."""


def places_of(edges: Sequence[tuple[str, str]], head: str, tail: str) -> dict[str, Place]:
    """(x, y) of every entity: x is a column, y a row from the middle. Edges come by strength."""
    columns: dict[str, float] = {head: LEFT}
    columns.setdefault(tail, RIGHT)
    for one, other in edges:
        if one not in columns and other not in columns:
            lefts = sum(column == LEFT for column in columns.values())
            columns[one] = LEFT if 2 * lefts <= len(columns) else RIGHT
        for end, opposite in ((one, other), (other, one)):
            columns.setdefault(end, RIGHT - columns[opposite] if opposite in columns else LEFT)
    return {
        entity: (column, _row(place))
        for column in (LEFT, RIGHT)
        for place, entity in enumerate(entity for entity, own in columns.items() if own == column)
    }


def _row(place: int) -> float:
    """0, 1, -1, 2, -2: the first in the middle."""
    return float((place + 1) // 2 * (1 if place % 2 else -1))


def curves_of(edges: Sequence[tuple[str, str]], places: Mapping[str, Place]) -> list[Float64Array]:
    """(points, 2) of the line of each edge from its first entity to its second; no two lie on each other."""
    drawn: dict[frozenset[str], int] = {}
    found = []
    for one, other in edges:
        pair = frozenset((one, other))
        found.append(_curve(places[one], places[other], drawn.get(pair, 0)))
        drawn[pair] = drawn.get(pair, 0) + 1
    return found


def _curve(start: Place, end: Place, parallel: int) -> Float64Array:
    """A quadratic Bezier curve, or an ellipse for a line from an entity to itself."""
    inward = 1 - 2 * start[0]
    if start == end:
        angle = np.linspace(0, 2 * np.pi, POINTS)
        size = 1 + 0.5 * parallel
        x = start[0] + inward * LOOP / 2 * size * (1 - np.cos(angle))
        return np.stack([x, start[1] + LOOP_ROWS * size * np.sin(angle)], axis=1)
    bend = np.add(start, end) / 2
    if start[0] == end[0]:
        bend[0] += inward * (ARC + 0.15 * parallel + 0.05 * abs(end[1] - start[1]))
    else:
        bend[1] += 2 * PARALLEL_ROWS * _row(parallel)
    t = np.linspace(0, 1, POINTS)[:, None]
    return (1 - t) ** 2 * np.array(start) + 2 * t * (1 - t) * bend + t**2 * np.array(end)
