"""Splits without leaks: no pair of entities is in two splits, under any relation or direction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terrarium.common.arrays import BoolArray, Int64Array
from terrarium.common.splits import SplitError, leaking_keys, require_disjoint_splits, undirected_keys
from terrarium.kge.data.graph import LEFT_OUT, TEST, TEST_GROUPS, TRAIN, VALIDATION
from terrarium.kge.data.leaks import find_leaks
from terrarium.kge.data.options import FeatureOptions
from terrarium.sources.graphs.graph_source import SPLITS, UNDIVIDED
from terrarium.training.torch.seeding import generator

_PRECEDENCE = (TRAIN, VALIDATION, TEST, TEST_GROUPS)
"""Of two splits that contain a pair, the later one keeps it."""


def split_triples(
    triples: pd.DataFrame, entities: pd.DataFrame, held_out_relations: Sequence[str], features: FeatureOptions
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Assign triples to splits at random, unless the source has.

    Given splits stay as they are; the pairs of entities that are in two of them are counted, and the held-out triples
    that training gives away are counted or, with `features.drop_leaks`, left out. Otherwise the triples
    of the held-out relations are divided, all others train. What `features.split_by` keeps together is in one split.
    A triple whose pair is held out under another relation is in no split: it is marked as left out, because it is true.

    Args:
        triples: head, relation, tail, split (categories).
        entities: entity, group.
        held_out_relations: relations whose triples are held out.
        features: fractions, seed, and what stays together.

    Returns:
        The distinct triples with columns head, relation, tail, split and given (whether the source made the split),
        and counts: repeated_triples; pairs_in_two_splits and held_out_triples_given_away, or triples_of_held_out_pairs_left_out.

    Raises:
        SplitError: a relation that does not exist, or a split without triples.
    """
    distinct = triples.drop_duplicates(["head", "relation", "tail", "split"], ignore_index=True)
    counts = {"repeated_triples": len(triples) - len(distinct)}
    if not (distinct["split"] == UNDIVIDED).any():
        counts["pairs_in_two_splits"] = len(leaking_keys(pair_keys(distinct), distinct["split"]))
        leaks = find_leaks(distinct)
        counts["held_out_triples_given_away"] = int(leaks.sum())
        if features.drop_leaks:
            distinct = distinct.assign(split=distinct["split"].where(~leaks, LEFT_OUT))
        return distinct.assign(given=True), counts
    codes = _assign_splits(distinct, entities, held_out_relations, features)
    left_out = _has_pair_in_later_split(distinct, codes)
    codes[left_out] = SPLITS.index(LEFT_OUT)
    divided = distinct.assign(split=pd.Categorical.from_codes(codes, categories=pd.Index(SPLITS)), given=False)
    counts["triples_of_held_out_pairs_left_out"] = int(left_out.sum())
    for name in (TRAIN, VALIDATION, TEST):
        if not (divided["split"] == name).any():
            raise SplitError(
                f"the split leaves no triple for {name}: change features.val_fraction and features.test_fraction"
            )
    return divided, counts


def require_no_leak(triples: pd.DataFrame) -> None:
    """Check that no pair of entities is in two splits; triples that are left out are in no split.

    Args:
        triples: columns head, tail and split (categories).

    Raises:
        SplitError: a pair is.
    """
    triples = triples[triples["split"] != LEFT_OUT]
    heads, tails = triples["head"], triples["tail"]
    require_disjoint_splits(
        pair_keys(triples), triples["split"], "pairs", lambda row: f"{heads.iloc[row]} and {tails.iloc[row]}"
    )


def pair_keys(triples: pd.DataFrame) -> Int64Array:
    """Return one number per triple, the same for all triples of an unordered pair of entities.

    Args:
        triples: columns head and tail (categories).
    """
    names = triples["head"].cat.categories
    head, tail = triples["head"].cat.codes, triples["tail"].cat.set_categories(names).cat.codes
    return undirected_keys(head.to_numpy(), tail.to_numpy(), len(names))


def _assign_splits(
    triples: pd.DataFrame, entities: pd.DataFrame, held_out_relations: Sequence[str], features: FeatureOptions
) -> NDArray[np.int8]:
    """Return the code in `SPLITS` of each triple, before those of held-out pairs are left out."""
    relations = set(triples["relation"].cat.categories)
    missing = [name for name in held_out_relations if name not in relations]
    if missing:
        raise SplitError(
            f"features.split_relations names {missing[0]!r}: the relations are {_abbreviate(sorted(relations))}"
        )
    may_be_held_out = triples["relation"].isin(list(held_out_relations)).to_numpy()
    codes = np.full(len(triples), SPLITS.index(TRAIN), np.int8)
    units = pair_keys(triples) if features.split_by == "pair" else triples["head"].cat.codes.to_numpy(np.int64)
    distinct, unit = np.unique(units[may_be_held_out], return_inverse=True)
    position = generator(features.seed, "split").permutation(len(distinct)) / max(len(distinct), 1)
    unit_codes = np.where(
        position < features.test_fraction,
        SPLITS.index(TEST),
        np.where(
            position < features.test_fraction + features.val_fraction, SPLITS.index(VALIDATION), SPLITS.index(TRAIN)
        ),
    )
    codes[may_be_held_out] = unit_codes[unit]
    codes[may_be_held_out & _in_held_out_group(triples, entities, features)] = SPLITS.index(TEST_GROUPS)
    return codes


def _in_held_out_group(triples: pd.DataFrame, entities: pd.DataFrame, features: FeatureOptions) -> BoolArray:
    """Return whether the head of a triple belongs to a group that is held out whole."""
    groups = np.unique(entities.loc[entities["group"] != "", "group"].to_numpy(dtype=str))
    count = round(features.group_fraction * len(groups))
    held_out = generator(features.seed, "groups").permutation(groups)[:count]
    members = entities.loc[entities["group"].isin(held_out.tolist()), "entity"]
    return triples["head"].isin(members).to_numpy()


def _has_pair_in_later_split(triples: pd.DataFrame, codes: NDArray[np.int8]) -> BoolArray:
    """Return whether the pair of a triple is in a split of higher precedence, too."""
    ranks = [_PRECEDENCE.index(name) if name in _PRECEDENCE else -1 for name in SPLITS]
    precedence = np.array(ranks)[codes]
    _, pair = np.unique(pair_keys(triples), return_inverse=True)
    highest = np.full(int(pair.max(initial=-1)) + 1, -1)
    np.maximum.at(highest, pair, precedence)
    return precedence < highest[pair]


def _abbreviate(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
