"""Compiled search for the nearest points, exact, by one pass over the table."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from terrarium.common.arrays import BoolArray, Float64Array, Int64Array
from terrarium.common.kernels import njit
from terrarium.hyperbolic.geometry.ball import Layout

_BLOCK = 1024


class SearchTable(NamedTuple):
    """Points as the search reads them: exp(radius), sinh(radius), and (d, N) directions, one axis a row."""

    exp: Float64Array
    sinh: Float64Array
    axes: Float64Array


def search_table(layout: Layout) -> SearchTable:
    """Return the table of a layout's points."""
    return SearchTable(
        np.exp(layout.radius), np.sinh(layout.radius), np.ascontiguousarray(layout.direction.T, np.float64)
    )


def nearest_rows(
    table: SearchTable, queries: SearchTable, own: Int64Array, k: int, allowed: BoolArray | None = None
) -> tuple[Int64Array, Float64Array]:
    """Return the k nearest points of each query by hyperbolic distance, nearest first; equal ones by row.

    Args:
        table: N points.
        queries: Q points.
        own: (Q,) row of the table that is not its own neighbour; -1 for none.
        k: number of neighbours.
        allowed: (N,) which points count; None for all.

    Returns:
        (Q, k) rows, -1 where there are fewer than k points, and (Q, k) distances, infinite there.
    """
    rows = np.full((len(own), k), -1, np.int64)
    excess = np.full((len(own), k), np.inf)
    allow = np.ones(len(table.exp), np.bool_) if allowed is None else np.asarray(allowed, np.bool_)
    _search(table, queries, own, allow, rows, excess)
    return rows, 2.0 * np.arcsinh(np.sqrt(excess / 2.0))


def excess_of(table: SearchTable, row: int) -> Float64Array:
    """Return the (N,) values cosh d - 1 of one row of the table and all rows."""
    out = np.empty(len(table.exp))
    one = slice(row, row + 1)
    query = SearchTable(table.exp[one], table.sinh[one], np.ascontiguousarray(table.axes[:, one]))
    _excess_block(table, query, 0, 0, len(out), out)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _excess_block(
    table: SearchTable, queries: SearchTable, q: int, start: int, stop: int, out: Float64Array
) -> None:  # pragma: no cover - compiled
    """Write cosh d - 1 of a query and the rows start .. stop - 1 (the formula of `geometry.ball.excess`)."""
    dim = table.axes.shape[0]
    n = stop - start
    for i in range(n):
        out[i] = 0.0
    for axis in range(dim):
        here = queries.axes[axis, q]
        values = table.axes[axis, start:stop]
        for i in range(n):
            difference = values[i] - here
            out[i] += difference * difference
    e, s = queries.exp[q], 0.5 * queries.sinh[q]
    exp, sinh = table.exp[start:stop], table.sinh[start:stop]
    for i in range(n):
        step = e / exp[i] - 1.0
        out[i] = 0.5 * step * step * exp[i] / e + s * sinh[i] * out[i]


@njit(cache=True, nogil=True, error_model="numpy")
def _search(
    table: SearchTable,
    queries: SearchTable,
    own: Int64Array,
    allowed: BoolArray,
    rows: Int64Array,
    excess: Float64Array,
) -> None:  # pragma: no cover - compiled
    n, k = len(table.exp), rows.shape[1]
    block = np.empty(_BLOCK)
    for q in range(len(own)):
        for start in range(0, n, _BLOCK):
            stop = min(start + _BLOCK, n)
            _excess_block(table, queries, q, start, stop, block)
            for i in range(stop - start):
                if block[i] < excess[q, k - 1] and allowed[start + i] and start + i != own[q]:
                    place = k - 1
                    while place > 0 and excess[q, place - 1] > block[i]:
                        excess[q, place], rows[q, place] = excess[q, place - 1], rows[q, place - 1]
                        place -= 1
                    excess[q, place], rows[q, place] = block[i], start + i
