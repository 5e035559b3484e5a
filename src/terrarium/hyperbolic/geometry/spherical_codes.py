"""Spherical codes: points of the unit sphere that stand well apart, for the children of one node."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.spatial import cKDTree

from terrarium.hyperbolic.geometry.ball import Floats

GROWTH = 1.2
"""Codes are made in sizes that grow by this factor; a node takes the first points of the next larger code."""
LARGE = 1000
"""Beyond this size neighbours are searched less often and only about, which keeps large codes fast."""
_NEIGHBOURS = 24
_SEARCHES, _ROUNDS_A_SEARCH = 10, 6
_SEARCHES_LARGE, _ROUNDS_A_SEARCH_LARGE, _TOLERANCE_LARGE = 5, 4, 1.0
_STEP = 0.15
_FIRST_POWER, _LAST_POWER = 4.0, 64.0


def code_size(count: int, dim: int) -> int:
    """Size of the code that serves `count` points in `dim` dimensions."""
    if count <= 2 * dim:
        return count
    return int(np.ceil(GROWTH ** np.ceil(np.log(count) / np.log(GROWTH))))


@lru_cache(maxsize=256)
def spherical_code(count: int, dim: int) -> Floats:
    """(count, dim) unit rows, well apart; the same rows for the same arguments. Do not write to it.

    Up to dim + 1 points the simplex, up to 2 dim the cross-polytope, which are best possible; beyond, random points
    that push their nearest neighbours away in rounds of growing power.
    """
    if count <= dim + 1:
        code = _simplex(count, dim)
    elif count <= 2 * dim:
        code = np.vstack([np.eye(dim), -np.eye(dim)])[:count]
    else:
        code = _repelled(count, dim)
    code.setflags(write=False)
    return code


def smallest_angle(code: Floats) -> float:
    """Smallest angle between two rows; pi for a single row."""
    if len(code) < 2:
        return float(np.pi)
    chord = cKDTree(code).query(code, k=2)[0][:, 1].min()
    return float(2.0 * np.arcsin(min(chord / 2.0, 1.0)))


def _simplex(count: int, dim: int) -> Floats:
    if count == 1:
        return np.eye(dim)[:1]
    basis = np.linalg.svd(np.eye(count) - 1.0 / count)[0][:, : count - 1]
    return np.pad(_normalise(basis), ((0, 0), (0, dim - count + 1)))


def _repelled(count: int, dim: int) -> Floats:
    """Each point moves away from its neighbours, weighted by exp(power * cosine); the power grows by the round."""
    code = _normalise(np.random.default_rng(count).normal(size=(count, dim)))
    searches, rounds, tolerance = _SEARCHES, _ROUNDS_A_SEARCH, 0.0
    if count > LARGE:
        searches, rounds, tolerance = _SEARCHES_LARGE, _ROUNDS_A_SEARCH_LARGE, _TOLERANCE_LARGE
    neighbours = min(_NEIGHBOURS, count - 1)
    found = np.empty(0)
    for i, power in enumerate(np.geomspace(_FIRST_POWER, _LAST_POWER, searches * rounds)):
        if i % rounds == 0:
            found = cKDTree(code).query(code, k=neighbours + 1, eps=tolerance)[1][:, 1:]
        near = code[found]
        cosine = np.einsum("nkd,nd->nk", near, code)
        weight = np.exp(power * (cosine - cosine.max(axis=1, keepdims=True)))
        push = np.einsum("nk,nkd->nd", weight, near) / weight.sum(axis=1, keepdims=True)
        code = _normalise(code - _STEP * push)
    return code


def _normalise(rows: Floats) -> Floats:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
