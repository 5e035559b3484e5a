"""Where the training starts: random directions, or the sum of what the ancestors say.

Give each concept c a random direction and let a synset be the sum over its ancestors and itself, each with the square
root of the information that c adds to its parents. In a tree the expected product of two synsets is then the
information content of their lowest common ancestor, their cosine about Lin's similarity, and the error about
1 / sqrt(D) (a random projection, Johnson and Lindenstrauss 1984). Nothing is trained; the figures of this start stand
beside the trained ones. One column says how general a synset is, which a sum over ancestors does not.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from terrarium.senses.data.taxonomy import Taxonomy

Initialisation = Literal["inherited", "random"]
_ROUNDS = 3


def initial_rows(
    taxonomy: Taxonomy,
    head: NDArray[np.int64],
    tail: NDArray[np.int64],
    dim: int,
    init: Initialisation,
    generality: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Rows (S, D) at length 1; what stands in no taxonomy, such as adjectives, starts near its neighbours.

    Args:
        taxonomy: of the training pairs.
        head, tail: (L,) rows of linked synsets, in both directions.
        dim: D.
        init: inherited, or random for all.
        generality: the first column of the inherited start is this times sqrt(1 - information content): 0 at a leaf;
            0: a column like the others.
        rng: of the directions.
    """
    synsets = len(taxonomy.information)
    rows = rng.standard_normal((synsets, dim), dtype=np.float32)
    if init == "random":
        return _unit(rows)
    weight = np.sqrt(added_information(taxonomy)) + np.float32(1e-3)
    rows = _unit(csr_array((weight[taxonomy.up], taxonomy.up, taxonomy.up_start), shape=(synsets, synsets)) @ rows)
    outside = np.diff(taxonomy.up_start) + np.diff(taxonomy.down_start) == 2
    around = csr_array((np.ones(len(head), np.float32), (head, tail)), shape=(synsets, synsets))
    own = rows[outside].copy()
    for _ in range(_ROUNDS):
        rows[outside] = _unit(own + (around @ rows)[outside])
    if generality > 0:
        rows[:, 0] = generality * np.sqrt(np.maximum(1 - taxonomy.information, 0))
    return _unit(rows)


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def added_information(taxonomy: Taxonomy) -> NDArray[np.float32]:
    """What each synset says beyond its ancestors: its information content less the largest of theirs, 0 at least."""
    owner = np.repeat(np.arange(len(taxonomy.information)), np.diff(taxonomy.up_start))
    proper = taxonomy.up != owner
    above = np.zeros(len(taxonomy.information), np.float32)
    np.maximum.at(above, owner[proper], taxonomy.information[taxonomy.up[proper]])
    added: NDArray[np.float32] = np.maximum(taxonomy.information - above, 0)
    return added
