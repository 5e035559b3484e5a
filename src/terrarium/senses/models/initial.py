"""Initial vectors: random directions, or weighted sums of the random directions of a synset's ancestors.

Let each concept c have a random direction, and let a synset be the sum over its ancestors and itself, each weighted by
the square root of the information content that c adds to its parents. In a tree the expected dot product of two
synsets is then the information content of their lowest common ancestor, and their cosine is about their Lin
similarity, with an error of about 1 / sqrt(D) (a random projection, Johnson and Lindenstrauss 1984). No training is
involved.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from terrarium.common.arrays import Float32Array, Int64Array
from terrarium.common.vectors import normalize_rows
from terrarium.senses.data.taxonomy import Taxonomy

_ROUNDS = 3


def random_rows(taxonomy: Taxonomy, dim: int, rng: np.random.Generator) -> Float32Array:
    """Return a random unit vector (S, dim) for each synset."""
    return normalize_rows(rng.standard_normal((len(taxonomy), dim), dtype=np.float32))


def inherited_rows(
    taxonomy: Taxonomy,
    head: Int64Array,
    tail: Int64Array,
    dim: int,
    rng: np.random.Generator,
    *,
    specificity: float = 0.0,
) -> Float32Array:
    """Return a unit vector (S, dim) for each synset, inherited from its ancestors.

    Synsets outside the taxonomy, such as adjectives, start near the synsets they are linked to.

    Args:
        taxonomy: of the training pairs, with S synsets.
        head, tail: (L,) synset rows of links, in both directions.
        dim: number of dimensions.
        rng: random directions.
        specificity: if positive, the first column is this times sqrt(1 - information content).
    """
    synsets, closure = len(taxonomy), taxonomy.closure
    rows = rng.standard_normal((synsets, dim), dtype=np.float32)
    weight = np.sqrt(added_information(taxonomy)) + np.float32(1e-3)
    inherit = csr_array((weight[closure.up], closure.up, closure.up_start), shape=(synsets, synsets))
    rows = normalize_rows(inherit @ rows)
    outside = np.diff(closure.up_start) + np.diff(closure.down_start) == 2
    neighbours = csr_array((np.ones(len(head), np.float32), (head, tail)), shape=(synsets, synsets))
    own = rows[outside].copy()
    for _ in range(_ROUNDS):
        rows[outside] = normalize_rows(own + (neighbours @ rows)[outside])
    if specificity > 0:
        rows[:, 0] = specificity * np.sqrt(np.maximum(1 - taxonomy.information_content, 0))
    return normalize_rows(rows)


def added_information(taxonomy: Taxonomy) -> Float32Array:
    """Return the information content (S,) of each synset minus the largest of its proper ancestors, at least 0."""
    closure, content = taxonomy.closure, taxonomy.information_content
    owner = np.repeat(np.arange(len(content)), np.diff(closure.up_start))
    proper = closure.up != owner
    above = np.zeros(len(content), np.float32)
    np.maximum.at(above, owner[proper], content[closure.up[proper]])
    added: Float32Array = np.maximum(content - above, 0)
    return added
