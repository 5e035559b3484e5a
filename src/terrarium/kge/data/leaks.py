"""Held-out triples that training gives away by an inverse or a duplicate relation (Akrami et al. 2020)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from terrarium.common.arrays import BoolArray, Int64Array
from terrarium.kge.data.graph import LEFT_OUT, TRAIN

MIN_OVERLAP = 0.8
"""Fraction of a relation's training pairs that another relation has, too, from which on it follows from that one."""


def find_leaks(triples: pd.DataFrame) -> BoolArray:
    """Return (n,) whether a held-out triple can be read off a training triple of the same pair of entities.

    A relation r follows from r' if at least MIN_OVERLAP of the pairs (h, t) of r in training have r', too: as (t, h),
    the inverse, where r' may be r itself, or as (h, t), a duplicate, where it may not.

    Args:
        triples: columns head, relation, tail and split (categories).
    """
    names = triples["head"].cat.categories.union(triples["tail"].cat.categories)
    head, tail = (triples[end].cat.set_categories(names).cat.codes.to_numpy(np.int64) for end in ("head", "tail"))
    relation: Int64Array = triples["relation"].cat.codes.to_numpy().astype(np.int64)
    is_train = (triples["split"] == TRAIN).to_numpy(bool)
    is_held_out = ~is_train & (triples["split"] != LEFT_OUT).to_numpy(bool)
    is_leak = np.zeros(len(triples), bool)
    for is_inverse in (True, False):
        first, second = (tail, head) if is_inverse else (head, tail)
        rows, evidence = _match(first * len(names) + second, head * len(names) + tail, relation, is_train)
        if not is_inverse:
            rows, evidence = rows[relation[rows] != evidence], evidence[relation[rows] != evidence]
        follows = _overlaps(rows, evidence, relation, is_train) >= MIN_OVERLAP
        given = follows[relation[rows], evidence] & is_held_out[rows]
        is_leak[rows[given]] = True
    return is_leak


def _match(
    wanted: Int64Array, keys: Int64Array, relation: Int64Array, is_train: BoolArray
) -> tuple[Int64Array, Int64Array]:
    """Return each row (K,) whose wanted key a training triple has, and the relation (K,) of that triple."""
    order = np.argsort(keys[is_train], kind="stable")
    found, relations = keys[is_train][order], relation[is_train][order]
    first, last = (np.searchsorted(found, wanted, side=side) for side in ("left", "right"))
    count = last - first
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(np.arange(len(wanted)), count), relations[np.repeat(first, count) + within]


def _overlaps(rows: Int64Array, evidence: Int64Array, relation: Int64Array, is_train: BoolArray) -> np.ndarray:
    """Return (R, R) the fraction of the training triples of r that have r' as evidence."""
    size = int(relation.max(initial=0)) + 1
    counts = np.zeros((size, size))
    own = is_train[rows]
    pairs = np.unique(np.stack([rows[own], evidence[own]], axis=1), axis=0)
    np.add.at(counts, (relation[pairs[:, 0]], pairs[:, 1]), 1)
    return counts / np.maximum(np.bincount(relation[is_train], minlength=size), 1)[:, None]
