"""Hierarchies with several parents per node: cycles and ancestors."""

from __future__ import annotations

from typing import Any, NamedTuple

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from terrarium.common.arrays import Int32Array, Int64Array
from terrarium.common.kernels import njit
from terrarium.hierarchy.checks import HierarchyError


class Ancestors(NamedTuple):
    """Proper ancestors of each row.

    Attributes:
        start: (N + 1,) offsets.
        rows: (P,) ancestors, ascending within a row.
        difference: (P,) edges of the shortest path up.
    """

    start: Int64Array
    rows: Int32Array
    difference: NDArray[np.int16]


def require_acyclic(child: Int32Array, parent: Int32Array, ids: Int64Array) -> None:
    """Raise `HierarchyError` with the ids of a cycle if links (rows) form one."""
    size = len(ids)
    graph = coo_array((np.ones(len(child), np.int8), (child, parent)), shape=(size, size))
    count, label = connected_components(graph, directed=True, connection="strong")
    if count == size:
        return
    inside = np.bincount(label)[label] > 1
    part = inside[child] & inside[parent]
    cycle = nx.find_cycle(nx.DiGraph(list(zip(child[part].tolist(), parent[part].tolist(), strict=True))))
    nodes = [cycle[0][0], *(edge[1] for edge in cycle)]
    shown = " -> ".join(str(ids[i]) for i in nodes[:8]) + (" -> …" if len(nodes) > 8 else "")
    raise HierarchyError(f"cycle {shown}: remove one of these edges")


def ancestors_of(child: Int32Array, parent: Int32Array, size: int) -> Ancestors:
    """Return the ancestors of each row of an acyclic graph, in O(pairs).

    Args:
        child, parent: (E,) rows of the links.
        size: number of rows.
    """
    by_child = np.argsort(child, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(child, minlength=size))])
    above = parent[by_child]
    return Ancestors(*_collect(start, above.astype(np.int64), _parents_first(start, above)))


@njit(cache=True)
def _parents_first(start: Any, above: Any) -> Any:  # pragma: no cover - compiled
    """Return the rows in topological order, parents first (Kahn 1962)."""
    size = len(start) - 1
    waiting = np.zeros(size, np.int64)
    below_count = np.zeros(size + 1, np.int64)
    for row in range(size):
        waiting[row] = start[row + 1] - start[row]
        for i in range(start[row], start[row + 1]):
            below_count[above[i] + 1] += 1
    below_start = np.cumsum(below_count)
    below = np.zeros(len(above), np.int64)
    filled = below_start.copy()
    for row in range(size):
        for i in range(start[row], start[row + 1]):
            below[filled[above[i]]] = row
            filled[above[i]] += 1
    order = np.zeros(size, np.int64)
    count = 0
    for row in range(size):
        if waiting[row] == 0:
            order[count] = row
            count += 1
    done = 0
    while done < count:
        row = order[done]
        done += 1
        for i in range(below_start[row], below_start[row + 1]):
            waiting[below[i]] -= 1
            if waiting[below[i]] == 0:
                order[count] = below[i]
                count += 1
    return order


@njit(cache=True)
def _collect(start: Any, above: Any, order: Any) -> Any:  # pragma: no cover - compiled
    """Return the union of each row's parents and their ancestors, with the shortest path to each."""
    size = len(order)
    first, count = np.zeros(size, np.int64), np.zeros(size, np.int64)
    rows, far = np.zeros(1024, np.int64), np.zeros(1024, np.int64)
    best, used = np.full(size, -1, np.int64), 0
    found = np.zeros(size, np.int64)
    for row in order:
        n = 0
        for i in range(start[row], start[row + 1]):
            up = above[i]
            for j in range(first[up] - 1, first[up] + count[up]):
                ancestor, way = (up, 1) if j < first[up] else (rows[j], far[j] + 1)
                if best[ancestor] < 0:
                    found[n] = ancestor
                    n += 1
                    best[ancestor] = way
                elif way < best[ancestor]:
                    best[ancestor] = way
        while used + n > len(rows):
            rows, far = np.concatenate((rows, rows)), np.concatenate((far, far))
        own = np.sort(found[:n])
        first[row], count[row] = used, n
        for i in range(n):
            rows[used + i], far[used + i] = own[i], best[own[i]]
            best[own[i]] = -1
        used += n
    offsets = np.zeros(size + 1, np.int64)
    offsets[1:] = np.cumsum(count)
    out_rows, out_far = np.zeros(used, np.int32), np.zeros(used, np.int16)
    for row in range(size):
        for i in range(count[row]):
            out_rows[offsets[row] + i], out_far[offsets[row] + i] = rows[first[row] + i], far[first[row] + i]
    return offsets, out_rows, out_far
