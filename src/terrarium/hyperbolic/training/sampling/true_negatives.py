"""Negatives that are neither ancestors nor descendants of the anchor, and all taxa but its ancestors.

Rows are in preorder, so the part of a depth level inside a subtree is a slice of that level. Uniform draws outside a
subtree need no rejection, except of the few ancestors. Where nodes have several parents, ancestors and descendants by
further links are rejected as well. A rejected draw is repeated, up to `TRIES` times; then the place stays empty.

Each function writes rows into `out` and returns how many; `stream` and `key` seed its random numbers.
"""

from __future__ import annotations

from terrarium.common.arrays import Int64Array
from terrarium.common.kernels import njit
from terrarium.hyperbolic.training.sampling.random_stream import GOLDEN, Stream, integer_below, mix, start_state
from terrarium.hyperbolic.training.sampling.tree_arrays import (
    TreeArrays,
    first_at_least,
    is_listed_ancestor,
    is_related,
)

TRIES = 16
_HARD_STREAM = 0x5DEECE66D


@njit(cache=True)
def sample_unrelated(
    tree: TreeArrays, anchor: int, stream: Stream, key: int, out: Int64Array
) -> int:  # pragma: no cover - compiled
    """Draw rows that are neither ancestors nor descendants of the anchor, uniformly with replacement.

    Args:
        tree: the hierarchy.
        anchor: row whose negatives are drawn.
        stream: seed and epoch.
        key: number of the pair or taxon; each has random numbers of its own.
        out: filled from the start; its length is the number of rows to draw.

    Returns:
        How many rows were drawn; fewer than `out` holds where 16 tries in a row fail.
    """
    inside = tree.end[anchor] - anchor
    pool = len(tree.end) - inside
    if pool <= tree.depth[anchor]:
        return 0
    state = start_state(stream.seed, stream.epoch, key)
    is_dag = len(tree.ancestor) > 0
    count = 0
    for _ in range(len(out)):
        for _ in range(TRIES):
            state += GOLDEN
            row = integer_below(mix(state), pool)
            if row >= anchor:
                row += inside
            elif tree.end[row] > anchor:
                continue
            if is_dag and is_related(tree, anchor, row):
                continue
            out[count] = row
            count += 1
            break
    return count


@njit(cache=True)
def sample_hard(
    tree: TreeArrays, anchor: int, num_hard: int, num_ancestors: int, stream: Stream, key: int, out: Int64Array
) -> int:  # pragma: no cover - compiled
    """Draw `num_hard` rows among the children of the nearest `num_ancestors` ancestors, the rest by sample_unrelated.

    Relatives of the anchor are rejected.

    Args:
        tree: the hierarchy.
        anchor: row whose negatives are drawn.
        num_hard: number of hard rows.
        num_ancestors: number of ancestors, nearest first.
        stream: seed and epoch.
        key: number of the pair or taxon; each has random numbers of its own.
        out: filled from the start; its length is the number of rows to draw.

    Returns:
        How many rows were drawn; fewer than `out` holds where 16 tries in a row fail.
    """
    state = start_state(stream.seed ^ _HARD_STREAM, stream.epoch, key)
    count = 0
    if tree.depth[anchor] > 0:
        for _ in range(num_hard):
            for _ in range(TRIES):
                state += GOLDEN
                steps_up = integer_below(mix(state), min(num_ancestors, tree.depth[anchor]))
                row = tree.parent[anchor]
                for _ in range(steps_up):
                    row = tree.parent[row]
                state += GOLDEN
                first = tree.child_start[row]
                row = tree.child[first + integer_below(mix(state), tree.child_start[row + 1] - first)]
                if is_related(tree, anchor, row):
                    continue
                out[count] = row
                count += 1
                break
    return int(count + sample_unrelated(tree, anchor, stream, key, out[count:]))


@njit(cache=True)
def sample_non_ancestors(
    tree: TreeArrays, anchor: int, stream: Stream, key: int, out: Int64Array
) -> int:  # pragma: no cover - compiled
    """Draw rows that are neither the anchor nor one of its ancestors, uniformly with replacement.

    Descendants may be drawn, as in Nickel and Kiela (2017), whose evaluation counts them as negatives.

    Args:
        tree: the hierarchy.
        anchor: row whose negatives are drawn.
        stream: seed and epoch.
        key: number of the pair or taxon; each has random numbers of its own.
        out: filled from the start; its length is the number of rows to draw.

    Returns:
        How many rows were drawn; fewer than `out` holds where 16 tries in a row fail.
    """
    is_dag = len(tree.ancestor) > 0
    state = start_state(stream.seed, stream.epoch, key)
    count = 0
    for _ in range(len(out)):
        for _ in range(TRIES):
            state += GOLDEN
            row = integer_below(mix(state), len(tree.end))
            if row == anchor or (is_listed_ancestor(tree, row, anchor) if is_dag else row < anchor < tree.end[row]):
                continue
            out[count] = row
            count += 1
            break
    return count


@njit(cache=True)
def sample_unrelated_at_depth(
    tree: TreeArrays, anchor: int, depth: int, stream: Stream, key: int, out: Int64Array
) -> int:  # pragma: no cover - compiled
    """Draw rows of one depth outside the subtree of the anchor, uniformly with replacement.

    Where the subtree covers that depth, rows of any depth by sample_unrelated. The root has no negatives.

    Args:
        tree: the hierarchy.
        anchor: row whose negatives are drawn.
        depth: depth of the rows.
        stream: seed and epoch.
        key: number of the pair or taxon; each has random numbers of its own.
        out: filled from the start; its length is the number of rows to draw.

    Returns:
        How many rows were drawn; fewer than `out` holds where 16 tries in a row fail.
    """
    start, stop = tree.level_start[depth], tree.level_start[depth + 1]
    inside_start = first_at_least(tree.level, start, stop, anchor)
    inside = first_at_least(tree.level, inside_start, stop, tree.end[anchor]) - inside_start
    pool = stop - start - inside
    if pool <= 0:
        return int(sample_unrelated(tree, anchor, stream, key, out))
    state = start_state(stream.seed, stream.epoch, key)
    is_dag = len(tree.ancestor) > 0
    count = 0
    for _ in range(len(out)):
        for _ in range(TRIES):
            state += GOLDEN
            at = start + integer_below(mix(state), pool)
            if at >= inside_start:
                at += inside
            if is_dag and is_related(tree, anchor, tree.level[at]):
                continue
            out[count] = tree.level[at]
            count += 1
            break
    return count
