"""The ancestors of every entity, by the relation from an entity to its parent."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from terrarium.common.arrays import Int64Array
from terrarium.kge.data.graph import HEAD, RELATION, TAIL, Triples


class Ancestors(NamedTuple):
    """Pairs of an entity and one of its ancestors, sorted by entity; both (A,)."""

    entity: Int64Array
    ancestor: Int64Array


def find_ancestors(triples: Triples, hierarchy: int, num_entities: int) -> Ancestors:
    """Return all pairs of an entity and an ancestor: the transitive closure of the hierarchy relation.

    An entity may have several parents, and each ancestor counts once. In a cycle every entity is an ancestor of every
    other one, never of itself.

    Args:
        triples: shape (n, 3); triples of other relations do not count.
        hierarchy: number of the relation from an entity to its parent.
        num_entities: number of entities of the graph.
    """
    links = triples[triples[:, RELATION] == hierarchy]
    shape = (num_entities, num_entities)
    parents = sparse.csr_array((np.ones(len(links), bool), (links[:, HEAD], links[:, TAIL])), shape=shape, dtype=bool)
    reached, count = parents, -1
    while reached.nnz != count:
        count = reached.nnz
        reached = (reached + reached @ parents).astype(bool)
    reached = sparse.csr_array(reached)
    reached.setdiag(False)
    reached.eliminate_zeros()
    reached.sort_indices()
    entity, ancestor = reached.nonzero()
    return Ancestors(entity.astype(np.int64), ancestor.astype(np.int64))
