"""The interactive picture as HTML: a page that asks a server, or a part of a report with its data inside."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.reporting.explorer.points import PointMap

SCRIPT = "explorer.js"
_ALIGNED = 8
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>body {{ margin: 0.6rem; }}</style>
</head>
<body>
<div data-explorer></div>
<script src="{script}"></script>
</body>
</html>
"""


@cache
def script() -> str:
    """Return the program of the page, built from the folder `explorer` of the project."""
    return (files("terrarium.reporting.explorer") / "assets" / SCRIPT).read_text(encoding="utf-8")


def server_page(title: str) -> str:
    """Return the page that asks its server for points."""
    return _PAGE.format(title=escape(title), script=SCRIPT)


def pack_arrays(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return arrays as the page reads them.

    The layout: length of the header (uint32, then four zero bytes), the header (JSON: name to [dtype, start, length]),
    and the arrays, little-endian, each at a multiple of eight bytes from the start.

    Args:
        arrays: one-dimensional, of dtype int32, float32 or float64.
    """
    spans, size = {}, 0
    for name, array in arrays.items():
        spans[name] = (array.dtype.name, size, array.size)
        size += _padded(array.nbytes)
    head = _padded(max((len(json.dumps(spans)) + _ALIGNED * (len(spans) + 2)), _ALIGNED))
    start = _ALIGNED + head
    header = json.dumps({name: (kind, start + at, count) for name, (kind, at, count) in spans.items()}).encode()
    parts = [len(header).to_bytes(4, "little"), bytes(4), header.ljust(head)]
    for array in arrays.values():
        raw = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
        parts.append(raw.ljust(_padded(len(raw)), b"\0"))
    return b"".join(parts)


def point_arrays(points: PointMap, rows: Int64Array, column: str) -> dict[str, NDArray[Any]]:
    """Return what the page needs to draw some rows: row, parent, first, second, weight, and value of the column.

    An angle is float64: at a radius of 20, float32 would move a point by more than the distance of its neighbours.
    """
    kind = np.float64 if points.kind == "disk" else np.float32
    value = points.values(column)[rows] if column else np.full(len(rows), np.nan, np.float32)
    return {
        "row": rows.astype(np.int32),
        "parent": points.parent[rows].astype(np.int32),
        "first": points.position[rows, 0].astype(np.float32),
        "second": points.position[rows, 1].astype(kind),
        "weight": points.weight[rows].astype(np.float32),
        "value": value,
    }


def embed_page(points: PointMap, neighbours: tuple[Int64Array, Float64Array], name: str = "explorer") -> Markup:
    """Return the interactive picture as a part of a page, with program and data inside.

    Args:
        points: n points, a few thousand at most.
        neighbours: (n, k) rows of the nearest of these points, -1 for none, and (n, k) distances.
        name: id of the element on the page.
    """
    rows, distances = neighbours
    arrays = point_arrays(points, np.arange(len(points)), "")
    del arrays["value"]
    arrays |= {f"column:{column}": points.values(column) for column in points.coloured}
    arrays |= {
        "neighbours": rows.astype(np.int32).ravel(),
        "distances": np.where(rows >= 0, distances, 0.0).astype(np.float32).ravel(),
    }
    meta = {**points.describe(), "neighbours": rows.shape[1]}
    head = json.dumps({"meta": meta, "names": points.names.astype(str).tolist()}).encode()
    body = len(head).to_bytes(4, "little") + bytes(4) + head.ljust(_padded(len(head))) + pack_arrays(arrays)
    coded = base64.b64encode(gzip.compress(body, mtime=0)).decode()
    data = f'<script type="application/octet-stream" id="{escape(name)}-data">{coded}</script>'
    return Markup(f'<div data-explorer="{escape(name)}-data"></div>{data}<script>{script()}</script>')


def _padded(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED
