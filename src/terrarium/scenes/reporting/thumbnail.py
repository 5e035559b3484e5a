"""A small picture of a scene graph from above, as SVG."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from terrarium.common.arrays import Float64Array
from terrarium.reporting.theme import GREY, LIGHT, PALETTE
from terrarium.scenes.reporting.exemplars import MARGIN_M

_LANE_M, _LINK_M = 3.0, 0.5


def thumbnail(graph: Mapping[str, np.ndarray], lanes: pd.DataFrame) -> str:
    """Draw lanes, relations and road users, north up; a road user is a box of its true size.

    Args:
        graph: position (n, 2), heading, length, width, actor_type (n,) and edge (e, 2), see `Graphs.graph`.
        lanes: columns x_m and y_m of the graph's map.
    """
    position = graph["position"].astype(np.float64)
    low, high = position.min(axis=0) - MARGIN_M, position.max(axis=0) + MARGIN_M
    side = float((high - low).max())
    left, top = (low + high) / 2 * [1.0, -1.0] - side / 2
    lines = [np.stack([np.asarray(x), np.asarray(y)], 1) for x, y in zip(lanes["x_m"], lanes["y_m"], strict=True)]
    near = [line for line in lines if (line.max(axis=0) >= low).all() and (line.min(axis=0) <= high).all()]
    parts = [_line(line, LIGHT, _LANE_M) for line in near]
    parts += [_line(position[pair], GREY, _LINK_M) for pair in graph["edge"]]
    parts += [
        f'<rect x="{-length / 2:.1f}" y="{-width / 2:.1f}" width="{length:.1f}" height="{width:.1f}" '
        f'fill="{PALETTE[kind]}" transform="translate({x:.1f} {-y:.1f}) rotate({-np.degrees(heading):.0f})"/>'
        for (x, y), heading, length, width, kind in zip(
            position, graph["heading"], graph["length"], graph["width"], graph["actor_type"], strict=True
        )
    ]
    box = f"{left:.1f} {top:.1f} {side:.1f} {side:.1f}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" width="300" height="300">{"".join(parts)}</svg>'


def _line(points: Float64Array, colour: str, width: float) -> str:
    path = " ".join(f"{x:.1f},{-y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
