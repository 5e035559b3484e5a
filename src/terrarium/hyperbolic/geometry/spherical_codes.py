"""Spherical codes: well separated points of the unit sphere, for the children of one node."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations, product

import numpy as np
from scipy.spatial import cKDTree

from terrarium.common.arrays import Float64Array
from terrarium.common.vectors import normalize_rows

GROWTH, GROWTH_LARGE = 1.2, 1.5
"""Codes have sizes that grow by this factor; a node takes the first points of the next larger code."""
LARGE = 1000
LOW_DIM = 6
"""Beyond this size and dimension neighbours are searched less often and approximately, which keeps large codes fast."""
HUGE = 100_000
"""Beyond this size fewer neighbours are searched less often."""
_ANGLE_SAMPLE = 20_000
"""Of larger codes the smallest angle is that of this many of their points."""
_DENSE = 0.4
"""Where the spacing of the points is smaller, steps and powers are scaled by it."""
_MIN_FIBONACCI = 60
_NEIGHBOURS = 24
_SEARCHES, _ROUNDS_PER_SEARCH = 10, 6
_SEARCHES_LARGE, _ROUNDS_PER_SEARCH_LARGE, _TOLERANCE_LARGE = 5, 4, 1.0
_SEARCHES_HUGE, _NEIGHBOURS_HUGE = 3, 12
_STEP = 0.15
_MIN_QUADRUPLE_DIM, _MAX_QUADRUPLE_DIM = 4, 16
_TEN_POINTS = ((0, 1, 3, 4), (0, 1, 2, 6), (0, 2, 4, 7))
"""Turned modulo 10, these are the 30 quadruples of the Steiner system of ten points, in which all triples are once."""
_FIRST_POWER, _LAST_POWER = 4.0, 64.0


def code_size(count: int, dim: int) -> int:
    """Return the size of the code that serves `count` points in `dim` dimensions."""
    if count <= 2 * dim or dim == 2:
        return count
    if count <= LARGE:
        return int(np.ceil(GROWTH ** np.ceil(np.log(count) / np.log(GROWTH))))
    return int(np.ceil(LARGE * GROWTH_LARGE ** np.ceil(np.log(count / LARGE) / np.log(GROWTH_LARGE))))


@lru_cache(maxsize=256)
def spherical_code(count: int, dim: int) -> Float64Array:
    """Return (count, dim) well separated unit rows, read-only; the same for the same arguments.

    Up to dim + 1 points are the simplex, up to 2 dim the cross-polytope, which are optimal. Beyond that, points of the
    plane are evenly spaced, many points in space are a Fibonacci lattice (Gonzalez 2010), and in other dimensions
    random points push their nearest neighbours away in rounds of growing power. In 4 to 16 dimensions these compete
    with points that are 60 degrees apart (see `_quadruple_code`); the code with the larger angle is taken.
    """
    if count <= dim + 1:
        code = _simplex(count, dim)
    elif count <= 2 * dim:
        code = np.vstack([np.eye(dim), -np.eye(dim)])[:count]
    elif dim == 2:
        angle = np.arange(count) * (2.0 * np.pi / count)
        code = np.column_stack([np.cos(angle), np.sin(angle)])
    elif dim == 3 and count >= _MIN_FIBONACCI:
        code = _fibonacci(count)
    else:
        code = max(_repelled(count, dim), _quadruple_code(dim)[:count], key=lambda c: (len(c), smallest_angle(c)))
    code.setflags(write=False)
    return code


def smallest_angle(code: Float64Array) -> float:
    """Return the smallest angle between two rows; pi for a single row. Of more than 20,000 rows it takes a sample."""
    if len(code) < 2:
        return float(np.pi)
    chord = cKDTree(code).query(code[:: -(-len(code) // _ANGLE_SAMPLE)], k=2)[0][:, 1].min()
    return float(2.0 * np.arcsin(min(chord / 2.0, 1.0)))


def _simplex(count: int, dim: int) -> Float64Array:
    if count <= 1:
        return np.eye(dim)[:count]
    basis = np.linalg.svd(np.eye(count) - 1.0 / count)[0][:, : count - 1]
    return np.pad(normalize_rows(basis), ((0, 0), (0, dim - count + 1)))


def _fibonacci(count: int) -> Float64Array:
    """Return points of a spiral from pole to pole, each turned by the golden angle against the one before."""
    place = np.arange(count) + 0.5
    height, longitude = 1.0 - 2.0 * place / count, np.pi * (1.0 + np.sqrt(5.0)) * place
    breadth = np.sqrt(1.0 - height**2)
    return np.column_stack([breadth * np.cos(longitude), breadth * np.sin(longitude), height])


@lru_cache
def _quadruple_code(dim: int) -> Float64Array:
    """Return as many points as this finds at 60 degrees: 24, 126, 240, 306 and 500 in 4, 7, 8, 9 and 10 dimensions.

    These are +-2 e_i, and +-1 at the four places of quadruples of which no two share three places (construction A of
    Conway and Sloane, Sphere Packings, Lattices and Groups, chapter 5). The latter are in random order, so that fewer
    points are better spread. No points in fewer than 4 and in more than 16 dimensions.
    """
    if not _MIN_QUADRUPLE_DIM <= dim <= _MAX_QUADRUPLE_DIM:
        return np.empty((0, dim))
    axes = 2.0 * np.vstack([np.eye(dim), -np.eye(dim)])
    quadruples = np.array(_quadruples(dim))
    signs = np.array(list(product((1.0, -1.0), repeat=4)))
    points = np.zeros((len(quadruples), len(signs), dim))
    np.put_along_axis(points, quadruples[:, None, :].repeat(len(signs), axis=1), signs[None], axis=2)
    points = np.random.default_rng(dim).permutation(points.reshape(-1, dim))
    code: Float64Array = np.vstack([axes, points]) / 2.0
    return code


def _quadruples(dim: int) -> list[tuple[int, ...]]:
    """Return quadruples of places of which no two share three: of a Steiner system of 10, or else of 8 or 16 places."""
    if dim in (9, 10):
        turned = {tuple(sorted((x + turn) % 10 for x in base)) for base in _TEN_POINTS for turn in range(10)}
        return sorted(places for places in turned if max(places) < dim)
    return [places for places in combinations(range(dim), 4) if not np.bitwise_xor.reduce(places)]


def _repelled(count: int, dim: int) -> Float64Array:
    """Move each point away from its neighbours, weighted by exp(power * cosine); the power grows by the round."""
    code = normalize_rows(np.random.default_rng(count).normal(size=(count, dim)))
    searches, rounds, tolerance = _SEARCHES, _ROUNDS_PER_SEARCH, 0.0
    spacing = 2.0 * count ** (-1.0 / (dim - 1))
    spacing = spacing if spacing < _DENSE else 1.0
    if count > LARGE and dim > LOW_DIM:
        searches, rounds, tolerance = _SEARCHES_LARGE, _ROUNDS_PER_SEARCH_LARGE, _TOLERANCE_LARGE
    step = _STEP * min(1.0, 2.0 * spacing)
    neighbours = min(_NEIGHBOURS, count - 1)
    if count > HUGE:
        searches, neighbours = _SEARCHES_HUGE, _NEIGHBOURS_HUGE
    nearest = np.empty(0)
    for i, power in enumerate(np.geomspace(_FIRST_POWER, _LAST_POWER, searches * rounds) / spacing**2):
        if i % rounds == 0:
            nearest = cKDTree(code).query(code, k=neighbours + 1, eps=tolerance)[1][:, 1:]
        near = code[nearest]
        cosine = np.einsum("nkd,nd->nk", near, code)
        weight = np.exp(power * (cosine - cosine.max(axis=1, keepdims=True)))
        push = np.einsum("nk,nkd->nd", weight, near) / weight.sum(axis=1, keepdims=True)
        code = normalize_rows(code - step * push)
    return code
