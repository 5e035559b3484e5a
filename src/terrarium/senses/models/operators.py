"""Vector operations of the model in PyTorch.

A relation r maps a head h to the query q_r(h) = normalize(h M_r + m_r), with one affine map for each relation and
another for its inverse: that is what gives is-a its direction. Relations have all the freedom, so that the vectors
themselves need not move to answer for them. Antonymy is a reflection: its matrix is diagonal, -1 on the few polar
dimensions and 1 elsewhere.

Maps are one array (2 R, 1 + D, D): first m_r, then the rows of M_r.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from terrarium.common.arrays import BoolArray, Float32Array, Int64Array

if TYPE_CHECKING:
    from torch import Tensor

POLAR_EVERY = 20
"""One dimension in this many is polar."""
_PENALTY = 5.0
_SHORTEST = 1e-4
"""Shorter rows stay shorter than 1. It bounds the gradient of a row of zeros, such as a prefix may be."""


def polar_columns(first: int, count: int) -> BoolArray:
    """Return which of the columns first .. first + count - 1 are polar: the last of every twenty."""
    polar: BoolArray = np.arange(first, first + count) % POLAR_EVERY == POLAR_EVERY - 1
    return polar


def normalize(rows: Tensor) -> Tensor:
    """Return rows (..., D) at length 1; rows of zeros stay zero."""
    import torch

    return torch.nn.functional.normalize(rows, dim=-1, eps=_SHORTEST)


def query(heads: Tensor, relation: Tensor, maps: Tensor) -> Tensor:
    """Return the queries (B, D) of heads (B, D) in relations (B,), by maps (2 R, 1 + D, D); R + r is r's inverse."""
    import torch

    order = torch.argsort(relation, stable=True)
    parts = torch.split(heads.index_select(0, order), torch.bincount(relation, minlength=len(maps)).tolist())
    moved = [part @ own[1:] + own[0] for part, own in zip(parts, maps.unbind(), strict=True) if len(part)]
    return normalize(torch.cat(moved).index_select(0, torch.argsort(order))) if moved else heads


def identity_maps(count: int, dim: int) -> Float32Array:
    """Return maps (count, 1 + dim, dim) that change nothing."""
    maps = np.zeros((count, 1 + dim, dim), np.float32)
    maps[:, 1:] = np.eye(dim, dtype=np.float32)
    return maps


def fit_maps(rows: Float32Array, head: Int64Array, tail: Int64Array, relation: Int64Array, count: int) -> Float32Array:
    """Return the affine maps (count, 1 + D, D) from heads to tails by least squares, drawn towards the identity.

    A relation with few links keeps nearly the identity: the squared entries of the difference to it are added to the
    error, times a constant (ridge regression).

    Args:
        rows: (S, D).
        head, tail: (L,) rows of the links.
        relation: (L,) relations of the links, below `count`.
        count: number of maps.
    """
    maps = identity_maps(count, rows.shape[1])
    order = np.argsort(relation, kind="stable")
    for own in np.split(order, np.flatnonzero(np.diff(relation[order])) + 1) if len(order) else []:
        given = np.hstack([np.ones((len(own), 1), np.float32), rows[head[own]]])
        squares = given.T @ given + _PENALTY * np.eye(given.shape[1], dtype=np.float32)
        maps[relation[own[0]]] += np.linalg.solve(squares, given.T @ (rows[tail[own]] - rows[head[own]]))
    return maps
