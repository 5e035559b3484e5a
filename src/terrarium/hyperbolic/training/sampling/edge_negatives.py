"""Negatives of an edge: taxa that are near an end of the edge, in the tree or in the batch, and no neighbour of it."""

from __future__ import annotations

import numpy as np

from terrarium.common.arrays import BoolArray, Int64Array
from terrarium.common.kernels import njit
from terrarium.hyperbolic.training.sampling.random_stream import GOLDEN, Stream, integer_below, mix, start_state
from terrarium.hyperbolic.training.sampling.tree_arrays import TreeArrays, is_listed_ancestor
from terrarium.hyperbolic.training.sampling.true_negatives import TRIES

MAX_STEPS_UP, MAX_STEPS_DOWN = 3, 2
"""A walk goes up to 3 links up and then up to 2 down: siblings, nephews, cousins, grandparent; without a step up, to
a grandchild."""
_WALK_STREAM = 0x2545F491


@njit(cache=True)
def sample_walks(
    tree: TreeArrays, row: int, num_walks: int, stream: Stream, key: int, out: Int64Array
) -> int:  # pragma: no cover - compiled
    """Draw the ends of short random walks in the tree that start at a row; neighbours of the row are rejected.

    Args:
        tree: the hierarchy.
        row: where the walks start.
        num_walks: number of walks; one is repeated up to 16 times, then its place stays empty.
        stream: seed and epoch.
        key: number of the draw; each has random numbers of its own.
        out: filled from the start.

    Returns:
        How many rows were drawn.
    """
    state = start_state(stream.seed ^ _WALK_STREAM, stream.epoch, key)
    count = 0
    for _ in range(num_walks):
        for _ in range(TRIES):
            state += GOLDEN
            up = integer_below(mix(state), MAX_STEPS_UP + 1)
            state += GOLDEN
            down = integer_below(mix(state), MAX_STEPS_DOWN + 1) if up > 0 else MAX_STEPS_DOWN
            end = row
            for _ in range(min(up, tree.depth[row])):
                end = tree.parent[end]
            for _ in range(down):
                first, stop = tree.child_start[end], tree.child_start[end + 1]
                if first == stop:
                    break
                state += GOLDEN
                end = tree.child[first + integer_below(mix(state), stop - first)]
            if is_edge_negative(tree, row, end):
                out[count] = end
                count += 1
                break
    return count


@njit(cache=True)
def append_edge_negatives(
    tree: TreeArrays, row: int, rows: Int64Array, out: Int64Array, count: int
) -> int:  # pragma: no cover - compiled
    """Write those of `rows` that are no neighbours of a row into out[count:]; return the new count."""
    for candidate in rows:
        if is_edge_negative(tree, row, candidate):
            out[count] = candidate
            count += 1
    return count


@njit(cache=True)
def is_edge_negative(tree: TreeArrays, row: int, candidate: int) -> bool:  # pragma: no cover - compiled
    """Return whether a candidate is neither the row nor its parent or child.

    Of a graph that is no tree, ancestors and descendants by further parents are no negatives either, since the arrays
    do not tell which of them are neighbours.
    """
    if candidate == row or tree.parent[row] == candidate or tree.parent[candidate] == row:
        return False
    if not len(tree.ancestor):
        return True
    if candidate <= row < tree.end[candidate] or row <= candidate < tree.end[row]:
        return True
    return not (is_listed_ancestor(tree, candidate, row) or is_listed_ancestor(tree, row, candidate))


@njit(cache=True)
def sample_edge_batch(
    tree: TreeArrays, anchors: Int64Array, negatives: Int64Array, stream: Stream, walks: Int64Array
) -> tuple[Int64Array, BoolArray]:  # pragma: no cover - compiled
    """Draw the edge negatives of a batch of edges, each between an anchor (side 0) and its parent (side 1).

    Args:
        tree: the hierarchy.
        anchors: (G,) rows below the root.
        negatives: (G, K) negatives that the edges share with the ancestors; -1 where there is none.
        stream: seed and epoch.
        walks: (2, G, M) to be filled with the ends of walks by side.

    Returns:
        (2, G) how many walks there are; (2, G, K) which of the negatives are edge negatives of each side.
    """
    counts = np.zeros(walks.shape[:2], np.int64)
    usable = np.zeros((2, *negatives.shape), np.bool_)
    for group in range(len(anchors)):
        for side in range(2):
            row = anchors[group] if side == 0 else tree.parent[anchors[group]]
            key = 2 * anchors[group] + side
            counts[side, group] = sample_walks(tree, row, walks.shape[2], stream, key, walks[side, group])
            for place in range(negatives.shape[1]):
                candidate = negatives[group, place]
                usable[side, group, place] = candidate >= 0 and is_edge_negative(tree, row, candidate)
    return counts, usable
