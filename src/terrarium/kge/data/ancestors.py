"""What the embedding of an entity is a sum of, besides its own vector: ancestors, and words of its name."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from terrarium.common.arrays import BoolArray, Int64Array
from terrarium.kge.data.graph import HEAD, RELATION, TAIL, TEST, TRAIN, VALIDATION, Graph, Triples
from terrarium.kge.options import ModelOptions


MIN_ENTITIES_OF_WORD = 2
"""A word of fewer names says nothing of other entities."""
_WORD = re.compile(r"\w\w+")


class Ancestors(NamedTuple):
    """Pairs of an entity and one of its ancestors or words, sorted by entity; both (A,).

    Ancestors are numbered as entities, words from the number of entities on.
    """

    entity: Int64Array
    ancestor: Int64Array

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the pairs."""
        return sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in self)).hexdigest()


def find_parts(graph: Graph, model: ModelOptions) -> Ancestors | None:
    """Return what the embeddings of the model are sums of, or None for plain embeddings.

    Ancestors are those by the training triples of the hierarchy relation.
    """
    if not uses_ancestors(graph, model):
        return None
    parts = []
    if model.entity_encoder != "words" and graph.hierarchy is not None:
        parts.append(find_ancestors(graph.splits[TRAIN], graph.hierarchy, graph.num_entities))
    if model.entity_encoder != "ancestors" and graph.names is not None:
        parts.append(find_words(graph.names, graph.num_entities))
    entity, ancestor = (np.concatenate(columns) for columns in zip(*parts, strict=True)) if parts else (_NONE, _NONE)
    order = np.lexsort((ancestor, entity))
    return Ancestors(entity[order], ancestor[order])


def find_words(names: pd.Series, first: int) -> Ancestors:
    """Return all pairs of an entity and a word of its name, in lower case, that at least two names have.

    Args:
        names: (N,) names of the entities.
        first: number of the first word.
    """
    found = [sorted(set(_WORD.findall(name.lower()))) for name in names.astype("str")]
    entity = np.repeat(np.arange(len(found)), [len(words) for words in found])
    word, _ = pd.factorize(np.array([word for words in found for word in words], dtype=object), sort=True)
    is_shared = np.bincount(word, minlength=1)[word] >= MIN_ENTITIES_OF_WORD if len(word) else np.zeros(0, bool)
    _, number = np.unique(word[is_shared], return_inverse=True)
    return Ancestors(entity[is_shared].astype(np.int64), first + number.astype(np.int64))


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


_NONE = np.zeros(0, np.int64)


def is_trained(graph: Graph, model: ModelOptions) -> BoolArray:
    """Return (n,) whether a training triple is in the loss.

    With ancestors, the triples of the hierarchy relation shape the embeddings, and are predicted only if the relation
    is validated or tested, too.
    """
    train = graph.splits[TRAIN]
    if not uses_ancestors(graph, model) or model.entity_encoder == "words":
        return np.ones(len(train), bool)
    is_tested = any((graph.splits[name][:, RELATION] == graph.hierarchy).any() for name in (VALIDATION, TEST))
    return np.full(len(train), is_tested) | (train[:, RELATION] != graph.hierarchy)


def uses_ancestors(graph: Graph, model: ModelOptions) -> bool:
    """Return whether entity embeddings are sums over ancestors or words."""
    return model.entity_encoder not in {None, "lookup"} or (model.entity_encoder is None and graph.hierarchy is not None)
