"""The ancestors of every entity, by the relation from an entity to its parent."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from terrarium.common.arrays import BoolArray, Int64Array
from terrarium.kge.data.graph import HEAD, RELATION, TAIL, TEST, TRAIN, VALIDATION, Graph, Triples
from terrarium.kge.options import ModelOptions


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


def is_trained(graph: Graph, model: ModelOptions) -> BoolArray:
    """Return (n,) whether a training triple is in the loss.

    With ancestors, the triples of the hierarchy relation shape the embeddings, and are predicted only if the relation
    is validated or tested, too.
    """
    train = graph.splits[TRAIN]
    if not uses_ancestors(graph, model):
        return np.ones(len(train), bool)
    is_tested = any((graph.splits[name][:, RELATION] == graph.hierarchy).any() for name in (VALIDATION, TEST))
    return np.full(len(train), is_tested) | (train[:, RELATION] != graph.hierarchy)


def uses_ancestors(graph: Graph, model: ModelOptions) -> bool:
    """Return whether entity embeddings are sums over ancestors."""
    return model.entity_encoder == "ancestors" or (model.entity_encoder is None and graph.hierarchy is not None)
