"""The nearest ancestor that two entities share, by the graph's relation to a parent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from terrarium.common.arrays import Int64Array
from terrarium.kge.data.graph import HEAD, RELATION, TAIL, TRAIN, Graph

NONE = -1


def nearest_shared_ancestors(graph: Graph, first: Int64Array, second: Int64Array) -> Int64Array:
    """Return the nearest common ancestors (n,) of pairs of entities.

    Args:
        graph: its training triples of the hierarchy relation lead from an entity to its parent.
        first, second: (n,) entities.

    Returns:
        Of each pair, the ancestor of both that is the fewest steps above `first`; -1 for the same entity, for none, and
        where the graph has no hierarchy. An entity counts as its own ancestor.
    """
    if graph.hierarchy is None:
        return np.full(len(first), NONE)
    links = graph.splits[TRAIN][graph.splits[TRAIN][:, RELATION] == graph.hierarchy]
    parents: dict[int, list[int]] = {}
    for head, tail in links[:, [HEAD, TAIL]].tolist():
        parents.setdefault(head, []).append(tail)
    above: dict[int, list[int]] = {
        entity: _ancestors(entity, parents) for entity in {*map(int, first), *map(int, second)}
    }
    pairs = zip(first.tolist(), second.tolist(), strict=True)
    return np.array([NONE if one == other else _first_in(above[one], above[other]) for one, other in pairs], np.int64)


def _ancestors(entity: int, parents: Mapping[int, Sequence[int]]) -> list[int]:
    """Return an entity and its ancestors, nearest first."""
    seen = [entity]
    for each in seen:
        seen += [parent for parent in parents.get(each, ()) if parent not in seen]
    return seen


def _first_in(candidates: Sequence[int], others: Sequence[int]) -> int:
    reached = set(others)
    return next((entity for entity in candidates if entity in reached), NONE)
