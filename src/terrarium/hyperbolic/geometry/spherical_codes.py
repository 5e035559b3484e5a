"""Spherical codes: well separated points of the unit sphere, for the children of one node."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.spatial import cKDTree

from terrarium.common.arrays import Float64Array
from terrarium.common.vectors import normalize_rows

GROWTH = 1.2
"""Codes have sizes that grow by this factor; a node takes the first points of the next larger code."""
LARGE = 1000
"""Beyond this size neighbours are searched less often and approximately, which keeps large codes fast."""
_NEIGHBOURS = 24
_SEARCHES, _ROUNDS_PER_SEARCH = 10, 6
_SEARCHES_LARGE, _ROUNDS_PER_SEARCH_LARGE, _TOLERANCE_LARGE = 5, 4, 1.0
_STEP = 0.15
_FIRST_POWER, _LAST_POWER = 4.0, 64.0


def code_size(count: int, dim: int) -> int:
    """Return the size of the code that serves `count` points in `dim` dimensions."""
    if count <= 2 * dim:
        return count
    return int(np.ceil(GROWTH ** np.ceil(np.log(count) / np.log(GROWTH))))


@lru_cache(maxsize=256)
def spherical_code(count: int, dim: int) -> Float64Array:
    """Return (count, dim) well separated unit rows, read-only; the same for the same arguments.

    Up to dim + 1 points are the simplex, up to 2 dim the cross-polytope, which are optimal; beyond that, random points
    push their nearest neighbours away in rounds of growing power.
    """
    if count <= dim + 1:
        code = _simplex(count, dim)
    elif count <= 2 * dim:
        code = np.vstack([np.eye(dim), -np.eye(dim)])[:count]
    else:
        code = _repelled(count, dim)
    code.setflags(write=False)
    return code


def smallest_angle(code: Float64Array) -> float:
    """Return the smallest angle between two rows; pi for a single row."""
    if len(code) < 2:
        return float(np.pi)
    chord = cKDTree(code).query(code, k=2)[0][:, 1].min()
    return float(2.0 * np.arcsin(min(chord / 2.0, 1.0)))


def _simplex(count: int, dim: int) -> Float64Array:
    if count == 1:
        return np.eye(dim)[:1]
    basis = np.linalg.svd(np.eye(count) - 1.0 / count)[0][:, : count - 1]
    return np.pad(normalize_rows(basis), ((0, 0), (0, dim - count + 1)))


def _repelled(count: int, dim: int) -> Float64Array:
    """Move each point away from its neighbours, weighted by exp(power * cosine); the power grows by the round."""
    code = normalize_rows(np.random.default_rng(count).normal(size=(count, dim)))
    searches, rounds, tolerance = _SEARCHES, _ROUNDS_PER_SEARCH, 0.0
    if count > LARGE:
        searches, rounds, tolerance = _SEARCHES_LARGE, _ROUNDS_PER_SEARCH_LARGE, _TOLERANCE_LARGE
    neighbours = min(_NEIGHBOURS, count - 1)
    nearest = np.empty(0)
    for i, power in enumerate(np.geomspace(_FIRST_POWER, _LAST_POWER, searches * rounds)):
        if i % rounds == 0:
            nearest = cKDTree(code).query(code, k=neighbours + 1, eps=tolerance)[1][:, 1:]
        near = code[nearest]
        cosine = np.einsum("nkd,nd->nk", near, code)
        weight = np.exp(power * (cosine - cosine.max(axis=1, keepdims=True)))
        push = np.einsum("nk,nkd->nd", weight, near) / weight.sum(axis=1, keepdims=True)
        code = normalize_rows(code - _STEP * push)
    return code
