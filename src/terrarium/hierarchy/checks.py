"""Checks that edges form a rooted hierarchy; each error is one line that names a node."""

from __future__ import annotations

import numpy as np

from terrarium.common.arrays import BoolArray, Int64Array


class HierarchyError(ValueError):
    """The edges do not form a rooted hierarchy."""


def first_rows(ids: Int64Array) -> BoolArray:
    """Return a mask of the first entry of each id, (N,)."""
    first = np.zeros(len(ids), bool)
    first[np.unique(ids, return_index=True)[1]] = True
    return first


def check_links(child: Int64Array, parent: Int64Array) -> None:
    """Raise `HierarchyError` if a further row of an id repeats a parent or has none."""
    further = ~first_rows(child)
    none = further & ((parent == -1) | (parent == child))
    if none.any():
        raise HierarchyError(
            f"node {child[none][0]} has a second row without a parent ({int(none.sum())} such): drop it"
        )
    _no_duplicates(child, parent)
    missing = further & ~np.isin(parent, child)
    if missing.any():
        i = int(np.flatnonzero(missing)[0])
        raise HierarchyError(f"node {child[i]} has the parent {parent[i]}, which is missing: add it or drop the row")


def check_edges(child: Int64Array, parent: Int64Array, *, several_parents: bool = False) -> None:
    """Raise `HierarchyError` for no edges, self-parents, duplicate edges and, unless allowed, second parents."""
    if len(child) != len(parent):
        raise HierarchyError(f"{len(child)} children and {len(parent)} parents: the columns must have the same length")
    if not len(child):
        raise HierarchyError("the hierarchy is empty or a single node: there is no edge; choose a larger part")
    _no_self_parent(child, parent)
    if several_parents:
        _no_duplicates(child, parent)
    else:
        _one_parent(child, parent)


def check_nodes(ids: Int64Array, parents: Int64Array) -> None:
    """Raise `HierarchyError` for no nodes, duplicate ids and unknown parents; ids must be sorted."""
    if not len(ids):
        raise HierarchyError("the hierarchy is empty: choose another part")
    _one_parent(ids, parents)
    missing = ~np.isin(parents, ids) & (parents != -1)
    if missing.any():
        i = int(np.flatnonzero(missing)[0])
        raise HierarchyError(
            f"node {ids[i]} has the parent {parents[i]}, which is missing ({int(missing.sum())} such): "
            "add the parent or drop the node"
        )


def one_root(ids: Int64Array, up: Int64Array, virtual_root: int | None) -> tuple[Int64Array, Int64Array]:
    """Return the nodes with exactly one root, if necessary a virtual one above several roots.

    Args:
        ids: (N,) sorted ids.
        up: (N,) position of the parent, -1 at a root.
        virtual_root: id of the virtual root; None if several roots are an error.

    Raises:
        HierarchyError: no root, several roots without `virtual_root`, or `virtual_root` is a node.
    """
    roots = np.flatnonzero(up < 0)
    if not len(roots):
        raise cycle_error(ids, up)
    if len(roots) == 1:
        return ids, up
    if virtual_root is None:
        named = ", ".join(str(i) for i in ids[roots[:5]])
        raise HierarchyError(
            f"{len(roots)} roots ({named}{', …' if len(roots) > 5 else ''}): there must be one; "
            "set source.virtual_root to an unused id to join them"
        )
    if virtual_root in ids:
        raise HierarchyError(f"source.virtual_root {virtual_root} is already a node: choose an unused id")
    at = int(np.searchsorted(ids, virtual_root))
    moved = np.where(up >= at, up + 1, up)
    moved[roots] = at
    return np.insert(ids, at, virtual_root), np.insert(moved, at, -1)


def cycle_error(ids: Int64Array, up: Int64Array) -> HierarchyError:
    """Return the error for nodes that no root reaches; it names one cycle."""
    reached = up < 0
    while True:
        more = reached | ((up >= 0) & reached[up])
        if (more == reached).all():
            break
        reached = more
    node = int(np.flatnonzero(~reached)[0])
    seen: list[int] = []
    while node not in seen:
        seen.append(node)
        node = int(up[node])
    cycle = [*seen[seen.index(node) :], node]
    shown = " -> ".join(str(ids[i]) for i in cycle[:8]) + (" -> …" if len(cycle) > 8 else "")
    return HierarchyError(f"cycle {shown}: remove one of these edges")


def _one_parent(child: Int64Array, parent: Int64Array) -> None:
    c, p = _no_duplicates(child, parent)
    again = c[1:] == c[:-1]
    if again.any():
        i = int(np.flatnonzero(again)[0])
        raise HierarchyError(
            f"node {c[i]} has two parents, {p[i]} and {p[i + 1]} ({int(again.sum())} such): a tree has one a node; "
            "set source.allow_multiple_parents to true if they are meant"
        )


def _no_duplicates(child: Int64Array, parent: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Return the edges sorted by child and parent; raise `HierarchyError` for a duplicate."""
    order = np.lexsort((parent, child))
    c, p = child[order], parent[order]
    same = (c[1:] == c[:-1]) & (p[1:] == p[:-1])
    if same.any():
        i = int(np.flatnonzero(same)[0])
        raise HierarchyError(f"duplicate edge {c[i]} -> {p[i]} ({int(same.sum())} such): drop the repeated rows")
    return c, p


def _no_self_parent(child: Int64Array, parent: Int64Array) -> None:
    own = child == parent
    if own.any():
        raise HierarchyError(
            f"node {child[own][0]} is its own parent ({int(own.sum())} such): leave the root out of the edge table"
        )
