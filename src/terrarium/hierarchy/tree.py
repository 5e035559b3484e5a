"""A rooted hierarchy in depth-first order.

Nodes are rows 0 .. N-1 in preorder, children by ascending id. In a tree a parent therefore precedes its children and
the descendants of row i are the rows i+1 .. end[i]-1, so an ancestor test is two comparisons (Euler tour intervals).

If nodes have several parents, the first parent of each gives the tree for rows, depths and intervals. The further
links are kept separately, and ancestors are looked up in sorted rows instead of intervals.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terrarium.common.arrays import BoolArray, Float64Array, Int32Array, Int64Array
from terrarium.hierarchy import checks
from terrarium.hierarchy.links import Ancestors, ancestors_of, require_acyclic

HierarchyError = checks.HierarchyError


def _no_rows() -> Int32Array:
    return np.zeros(0, np.int32)


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """A rooted tree, or a rooted acyclic graph with a tree of first parents.

    Attributes:
        ids: (N,) identifier of each row.
        parent: (N,) row of the first parent, -1 at the root (row 0).
        depth: (N,) edges to the root by first parents.
        end: (N,) one past the last row of the subtree.
        extra_child, extra_parent: (E,) rows of the further links, sorted by child; empty in a tree.
    """

    ids: Int64Array
    parent: Int32Array
    depth: NDArray[np.int16]
    end: Int32Array
    extra_child: Int32Array = field(default_factory=_no_rows)
    extra_parent: Int32Array = field(default_factory=_no_rows)

    @classmethod
    def from_edges(
        cls,
        child: ArrayLike,
        parent: ArrayLike,
        *,
        virtual_root: int | None = None,
        several_parents: bool = False,
    ) -> Hierarchy:
        """Build the hierarchy of the edges child -> parent.

        Args:
            child: (E,) ids, each once unless `several_parents`.
            parent: (E,) ids.
            virtual_root: id of a root to add above several roots; None if several roots are an error.
            several_parents: whether a node may have several parents; the first in the table is its first parent.

        Raises:
            HierarchyError: self-parent, duplicate edge, second parent, cycle, no root, or several roots.
        """
        child, parent = np.asarray(child, np.int64).ravel(), np.asarray(parent, np.int64).ravel()
        checks.check_edges(child, parent, several_parents=several_parents)
        if several_parents:
            first = checks.first_rows(child)
            tree = cls.from_edges(child[first], parent[first], virtual_root=virtual_root)
            return tree._with_links(child[~first], parent[~first])
        ids = np.unique(np.concatenate([child, parent]))
        up = np.full(len(ids), -1, np.int64)
        up[np.searchsorted(ids, child)] = np.searchsorted(ids, parent)
        ids, up = checks.one_root(ids, up, virtual_root)
        return cls._from_parents(ids, up)

    @classmethod
    def from_parents(
        cls,
        ids: ArrayLike,
        parent_ids: ArrayLike,
        *,
        virtual_root: int | None = None,
        several_parents: bool = False,
    ) -> Hierarchy:
        """Build the hierarchy of N nodes, each with the id of its parent; the parent of the root is itself or -1.

        Args:
            ids: (N,) ids, each once unless `several_parents`.
            parent_ids: (N,) ids of the parents.
            virtual_root: id of a root to add above several roots; None if several roots are an error.
            several_parents: whether an id may have several rows; the first one has its first parent.

        Raises:
            HierarchyError: a parent that is not among the ids, a repeated id, a cycle, no root, or several roots.
        """
        ids, parent_ids = np.asarray(ids, np.int64).ravel(), np.asarray(parent_ids, np.int64).ravel()
        if several_parents:
            first = checks.first_rows(ids)
            checks.check_links(ids, parent_ids)
            tree = cls.from_parents(ids[first], parent_ids[first], virtual_root=virtual_root)
            return tree._with_links(ids[~first], parent_ids[~first])
        order = np.argsort(ids, kind="stable")
        ids, parent_ids = ids[order], parent_ids[order]
        checks.check_nodes(ids, parent_ids)
        is_root = (parent_ids == ids) | (parent_ids == -1)
        up = np.where(is_root, -1, np.searchsorted(ids, parent_ids))
        ids, up = checks.one_root(ids, up, virtual_root)
        return cls._from_parents(ids, up)

    @classmethod
    def _from_parents(cls, ids: Int64Array, up: Int64Array) -> Hierarchy:
        """Order nodes in preorder; ids are sorted, `up` is the position of the parent and -1 at the root."""
        levels = _levels(ids, up)
        if len(levels) > np.iinfo(np.int16).max:
            raise HierarchyError(f"{len(levels):,} levels: depths are stored in 16 bits; choose a shallower part")
        size = np.ones(len(ids), np.int64)
        for level in reversed(levels[1:]):
            np.add.at(size, up[level], size[level])
        row = np.zeros(len(ids), np.int64)
        depth = np.zeros(len(ids), np.int16)
        for k, level in enumerate(levels[1:], start=1):
            row[level] = row[up[level]] + 1 + _preceding_siblings(up[level], size[level])
            depth[level] = k
        order = np.empty(len(ids), np.int64)
        order[row] = np.arange(len(ids))
        parent = np.where(up[order] < 0, -1, row[up[order]])
        rows = np.arange(len(ids))
        return cls(
            ids=ids[order],
            parent=parent.astype(np.int32),
            depth=depth[order],
            end=(rows + size[order]).astype(np.int32),
        )

    def _with_links(self, child: Int64Array, parent: Int64Array) -> Hierarchy:
        """Return the hierarchy with further links, given by id."""
        below, above = self.rows(child), self.rows(parent)
        order = np.lexsort((above, below))
        whole = replace(self, extra_child=below[order], extra_parent=above[order])
        require_acyclic(*whole.links(), self.ids)
        return whole

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def is_tree(self) -> bool:
        """Whether every node has at most one parent."""
        return not len(self.extra_child)

    @property
    def max_depth(self) -> int:
        """Depth of the deepest node."""
        return int(self.depth.max())

    @property
    def pair_count(self) -> int:
        """Number of ancestor-descendant pairs: in a tree the sum of the depths."""
        if not self.is_tree:
            return len(self.ancestor_rows.rows)
        return int(self.depth.sum(dtype=np.int64))

    def rows(self, ids: ArrayLike) -> Int32Array:
        """Return the rows of ids, in the same shape.

        Raises:
            HierarchyError: an id that is not in the tree.
        """
        wanted = np.asarray(ids, np.int64)
        order, ordered = self._by_id
        at = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
        absent = wanted[ordered[at] != wanted]
        if absent.size:
            raise HierarchyError(f"id {absent.flat[0]} is not in the hierarchy ({absent.size} such ids)")
        return order[at]

    def is_ancestor(self, ancestor: ArrayLike, descendant: ArrayLike) -> BoolArray:
        """Return whether rows are proper ancestors of rows; broadcasts."""
        a, d = np.asarray(ancestor), np.asarray(descendant)
        if self.is_tree:
            return (a < d) & (d < self.end[a])
        pairs, wanted = self._pair_keys, d.astype(np.int64) * len(self) + a
        return pairs[np.minimum(np.searchsorted(pairs, wanted), len(pairs) - 1)] == wanted

    def ancestors(self, row: int) -> Int32Array:
        """Return the proper ancestors of a row, nearest first."""
        if not self.is_tree:
            part = slice(*self.ancestor_rows.start[row : row + 2])
            return self.ancestor_rows.rows[part][np.argsort(self.ancestor_rows.difference[part], kind="stable")]
        found = []
        above = self.parent[row]
        while above >= 0:
            found.append(above)
            above = self.parent[above]
        return np.array(found, np.int32)

    def children(self, row: int) -> Int32Array:
        """Return the children of a row: first those of the tree by ascending id, then those by further links."""
        inside = np.arange(row + 1, self.end[row], dtype=np.int32)
        return np.concatenate([inside[self.parent[inside] == row], self.extra_child[self.extra_parent == row]])

    def parents(self, row: int) -> Int32Array:
        """Return the parents of a row, the first parent first; empty at the root."""
        first = self.parent[row : row + 1]
        return np.concatenate([first[first >= 0], self.extra_parent[self.extra_child == row]])

    def links(self) -> tuple[Int32Array, Int32Array]:
        """Return all direct links as rows (child, parent), sorted by child, the first parent first."""
        child = np.concatenate([np.arange(1, len(self), dtype=np.int32), self.extra_child])
        parent = np.concatenate([self.parent[1:], self.extra_parent])
        order = np.argsort(child, kind="stable")
        return child[order], parent[order]

    def below(self, row: int) -> Int32Array:
        """Return all proper descendants of a row, ascending."""
        if self.is_tree:
            return np.arange(row + 1, self.end[row], dtype=np.int32)
        return np.flatnonzero(self.is_ancestor(row, np.arange(len(self)))).astype(np.int32)

    def part(self, keep: BoolArray) -> Hierarchy:
        """Return the hierarchy of some rows.

        Args:
            keep: (N,) mask; if a row is kept, all its ancestors by first parents must be.
        """
        child, parent = self.links()
        stays = keep[child] & keep[parent]
        ids = np.concatenate([self.ids[:1], self.ids[child[stays]]])
        parents = np.concatenate([[-1], self.ids[parent[stays]]])
        return Hierarchy.from_parents(ids, parents, several_parents=not self.is_tree)

    def closure(self) -> tuple[Int32Array, Int32Array, NDArray[np.int16]]:
        """Return all pairs as rows (ancestor, descendant) and depth differences, (P,) each.

        Pairs are sorted by descendant, nearest ancestor first. With several parents the difference is the length of
        the shortest path. In a tree this takes one gather per depth difference: the ancestors k steps up of all nodes.
        """
        if not self.is_tree:
            start, rows, steps = self.ancestor_rows
            below = np.repeat(np.arange(len(self), dtype=np.int32), np.diff(start))
            order = np.lexsort((rows, steps, below))
            return rows[order], below, steps[order]
        depth = self.depth.astype(np.int64)
        start = np.cumsum(depth) - depth
        ancestor = np.empty(self.pair_count, np.int32)
        alive = np.flatnonzero(depth > 0)
        above = self.parent[alive]
        for step in range(self.max_depth):
            ancestor[start[alive] + step] = above
            keep = depth[alive] > step + 1
            alive, above = alive[keep], self.parent[above[keep]]
        descendant = np.repeat(np.arange(len(self), dtype=np.int32), depth)
        difference = np.arange(1, self.pair_count + 1, dtype=np.int64)
        difference -= np.repeat(start, depth)
        return ancestor, descendant, difference.astype(np.int16)

    def levels(self) -> tuple[Int32Array, Int64Array]:
        """Return the rows sorted by depth (preorder within a depth) and (max_depth + 2,) offsets of the depths."""
        order = np.argsort(self.depth, kind="stable").astype(np.int32)
        counts = np.bincount(self.depth, minlength=self.max_depth + 1)
        return order, np.concatenate([[0], np.cumsum(counts)])

    def rows_by_depth(self) -> Iterator[Int32Array]:
        """Yield the rows of each depth below the root, from the shallowest."""
        order, start = self.levels()
        for depth in range(1, self.max_depth + 1):
            yield order[start[depth] : start[depth + 1]]

    def lca(self, a: ArrayLike, b: ArrayLike) -> Int32Array:
        """Return the lowest common ancestor-or-self of rows by first parents; broadcasts."""
        x, y = (v.astype(np.int32) for v in np.broadcast_arrays(np.asarray(a), np.asarray(b)))
        shape = x.shape
        x, y = x.ravel().copy(), y.ravel().copy()
        todo = np.flatnonzero(x != y)
        while todo.size:
            # in preorder the later row cannot be an ancestor of the earlier one, so it may climb
            later = x[todo] > y[todo]
            x[todo[later]] = self.parent[x[todo[later]]]
            y[todo[~later]] = self.parent[y[todo[~later]]]
            todo = todo[x[todo] != y[todo]]
        return x.reshape(shape)

    def hops(self, a: ArrayLike, b: ArrayLike) -> Int64Array:
        """Return the number of edges on the path between rows by first parents; broadcasts."""
        depth = self.depth.astype(np.int64)
        return depth[np.asarray(a)] + depth[np.asarray(b)] - 2 * depth[self.lca(a, b)]

    def sum_over_lineage(self, values: Float64Array) -> Float64Array:
        """Return for each row the sum of the values of the row and of its ancestors by first parents.

        Args:
            values: (N,) values.

        Returns:
            (N,) sums.
        """
        total = np.array(values, np.float64)
        for rows in self.rows_by_depth():
            total[rows] += total[self.parent[rows]]
        return total

    def fingerprint(self) -> str:
        """Return the SHA-256 of ids, parents and further links, hexadecimal."""
        digest = hashlib.sha256()
        digest.update(np.ascontiguousarray(self.ids, "<i8").tobytes())
        digest.update(np.ascontiguousarray(self.parent, "<i4").tobytes())
        if not self.is_tree:
            digest.update(np.ascontiguousarray([self.extra_child, self.extra_parent], "<i4").tobytes())
        return digest.hexdigest()

    @cached_property
    def ancestor_rows(self) -> Ancestors:
        """Sorted proper ancestors of each row, with the shortest path to each."""
        return ancestors_of(*self.links(), len(self))

    @cached_property
    def _pair_keys(self) -> Int64Array:
        """descendant * N + ancestor of all pairs, ascending."""
        start, rows, _ = self.ancestor_rows
        return np.repeat(np.arange(len(self), dtype=np.int64), np.diff(start)) * len(self) + rows

    @cached_property
    def _by_id(self) -> tuple[Int32Array, Int64Array]:
        order = np.argsort(self.ids, kind="stable").astype(np.int32)
        return order, self.ids[order]


def _levels(ids: Int64Array, up: Int64Array) -> list[Int64Array]:
    """Return the positions of each depth, sorted by (parent, id); an unreached node is on or below a cycle."""
    by_parent = np.argsort(up, kind="stable")
    first = np.searchsorted(up[by_parent], np.arange(len(ids) + 1))
    levels = [np.flatnonzero(up < 0)]
    reached = 1
    while True:
        level = levels[-1]
        count = first[level + 1] - first[level]
        total = int(count.sum())
        if total == 0:
            break
        shift = np.repeat(first[level] - (np.cumsum(count) - count), count)
        levels.append(by_parent[np.arange(total) + shift])
        reached += total
    if reached < len(ids):
        raise checks.cycle_error(ids, up)
    return levels


def _preceding_siblings(parents: Int64Array, size: Int64Array) -> Int64Array:
    """Return the sum of the sizes of the preceding siblings; siblings are adjacent in a level."""
    before = np.cumsum(size) - size
    is_first = np.concatenate([[True], parents[1:] != parents[:-1]])
    start = np.maximum.accumulate(np.where(is_first, np.arange(len(size)), 0))
    return before - before[start]
