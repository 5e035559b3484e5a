"""Initial vectors: spectral components, random directions, or weighted sums of the directions of ancestors.

Spectral components are rotated, and polar dimensions oppose antonyms.

The last kind works as follows. Let each concept c have a random direction, and let a synset be the sum over its
ancestors and itself, each weighted by the square root of the information content that c adds to its parents. In a tree
the expected dot product of two synsets is then the information content of their lowest common ancestor; their cosine
is about their Lin similarity, with an error of about 1 / sqrt(D) (a random projection, Johnson and Lindenstrauss 1984).
No training is involved.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from terrarium.common.arrays import BoolArray, Float32Array, Int64Array
from terrarium.common.vectors import normalize_rows
from terrarium.senses.data.taxonomy import Taxonomy

_ROUNDS, _OPPOSITION_ROUNDS = 3, 6
_TINY = 1e-12
_ROTATION_SAMPLE, _ROTATION_STEPS, _ROTATION_GAIN = 20_000, 100, 1e-5


def random_rows(taxonomy: Taxonomy, dim: int, rng: np.random.Generator) -> Float32Array:
    """Return a random unit vector (S, dim) for each synset."""
    return normalize_rows(rng.standard_normal((len(taxonomy), dim), dtype=np.float32))


def spectral_rows(
    taxonomy: Taxonomy, components: Float32Array, rng: np.random.Generator, *, specificity: float = 0.0
) -> Float32Array:
    """Return a unit vector (S, D) for each synset: spectral components, rotated by `varimax`.

    Args:
        taxonomy: of the training pairs, with S synsets.
        components: (S, D) from `spectral_components`.
        rng: chooses the synsets that the rotation is computed from, and directions for rows of zeros.
        specificity: if positive, the first column is this times sqrt(1 - information content).
    """
    rows = components @ varimax(components[rng.permutation(len(components))[:_ROTATION_SAMPLE]])
    empty = ~rows.any(axis=1)
    rows[empty] = rng.standard_normal((int(empty.sum()), rows.shape[1]), dtype=np.float32)
    return _with_specificity(normalize_rows(rows), taxonomy, specificity)


def opposed_rows(links: csr_array, antonyms: csr_array, dim: int, rng: np.random.Generator) -> Float32Array:
    """Return rows (S, dim) in which antonyms are opposite and linked synsets are alike, of length 1 for antonyms.

    Antonyms start from opposite random directions. In each round a row becomes the mean of itself and of its
    neighbours' mean, and antonyms become opposite again. The further a synset is from antonyms, the shorter is its row;
    in the end lengths become their square roots, so that what is known two or three links away outlives the zeros.

    Args:
        links: (S, S) number of links between synsets, without antonyms; symmetric.
        antonyms: (S, S) number of antonym links; symmetric.
        dim: number of columns.
        rng: random directions.
    """
    degree, opposites = (np.maximum(np.asarray(x.sum(axis=1)), 1)[:, None] for x in (links, antonyms))
    has_antonym = np.diff(antonyms.indptr) > 0
    drawn = rng.standard_normal((links.shape[0], dim), dtype=np.float32)
    rows = _oppose(drawn * has_antonym[:, None], antonyms, opposites)
    for _ in range(_OPPOSITION_ROUNDS):
        spread = (rows + links @ rows / degree) / 2
        rows = np.where(has_antonym[:, None], _oppose(spread, antonyms, opposites), spread)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    result: Float32Array = (rows / np.sqrt(np.maximum(length, _TINY))).astype(np.float32)
    return result


def with_polar_columns(rows: Float32Array, opposed: Float32Array, polar: BoolArray, energy: float) -> Float32Array:
    """Return unit rows (S, D) whose polar columns are opposed rows.

    Args:
        rows: (S, D - k) unit rows, for the other columns.
        opposed: (S, k) rows of length 0 to 1.
        polar: (D,) mask of the k polar columns.
        energy: fraction of the squared length that a row of `opposed` of length 1 takes.
    """
    whole = np.empty((len(rows), len(polar)), np.float32)
    whole[:, ~polar], whole[:, polar] = rows, opposed * (energy / (1 - energy)) ** 0.5
    return normalize_rows(whole)


def adjacency(head: Int64Array, tail: Int64Array, synsets: int) -> csr_array:
    """Return the number of links (S, S) from heads (L,) to tails (L,)."""
    return csr_array((np.ones(len(head), np.float32), (head, tail)), shape=(synsets, synsets))


def _oppose(rows: Float32Array, antonyms: csr_array, opposites: Float32Array) -> Float32Array:
    return normalize_rows(rows - antonyms @ rows / opposites)


def varimax(rows: Float32Array) -> Float32Array:
    """Return the rotation (D, D) that maximises the variance of the squared entries of each column (Kaiser 1958).

    The columns of rotated rows are signed so that their larger entries are positive.

    Args:
        rows: (n, D).
    """
    rotation, last = np.eye(rows.shape[1], dtype=np.float32), 0.0
    for _ in range(_ROTATION_STEPS):
        rotated = rows @ rotation
        left, values, right = np.linalg.svd(rows.T @ (rotated**3 - rotated * (rotated**2).mean(axis=0)))
        rotation, gain = left @ right, float(values.sum())
        if gain <= last * (1 + _ROTATION_GAIN):
            break
        last = gain
    sign = np.sign(((rows @ rotation) ** 3).sum(axis=0))
    signed: Float32Array = rotation * np.where(sign < 0, -1, 1).astype(np.float32)
    return signed


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
    neighbours = adjacency(head, tail, synsets)
    own = rows[outside].copy()
    for _ in range(_ROUNDS):
        rows[outside] = normalize_rows(own + (neighbours @ rows)[outside])
    return _with_specificity(rows, taxonomy, specificity)


def added_information(taxonomy: Taxonomy) -> Float32Array:
    """Return the information content (S,) of each synset minus the largest of its proper ancestors, at least 0."""
    closure, content = taxonomy.closure, taxonomy.information_content
    owner = np.repeat(np.arange(len(content)), np.diff(closure.up_start))
    proper = closure.up != owner
    above = np.zeros(len(content), np.float32)
    np.maximum.at(above, owner[proper], content[closure.up[proper]])
    added: Float32Array = np.maximum(content - above, 0)
    return added


def _with_specificity(rows: Float32Array, taxonomy: Taxonomy, specificity: float) -> Float32Array:
    """Return unit rows whose first column says how general a synset is, or the rows if `specificity` is 0."""
    if specificity == 0:
        return rows
    rows[:, 0] = specificity * np.sqrt(np.maximum(1 - taxonomy.information_content, 0))
    return normalize_rows(rows)
