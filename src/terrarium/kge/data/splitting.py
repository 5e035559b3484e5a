"""Splits in which no pair of ends stands in two parts, in no direction and under no relation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terrarium.kge.data.graph import LEFT_OUT, TEST, TEST_GROUPS, TRAIN, VALIDATION
from terrarium.kge.options import FeatureOptions
from terrarium.sources.graphs.graph_source import SPLITS, UNDIVIDED
from terrarium.training.torch.seeding import generator

# Of two parts that claim a pair the later keeps it.
_ORDER = (TRAIN, VALIDATION, TEST, TEST_GROUPS)


class SplitError(ValueError):
    """A split that cannot be made, or that leaks."""


def split_triples(
    triples: pd.DataFrame, entities: pd.DataFrame, asked: Sequence[str], features: FeatureOptions
) -> tuple[pd.DataFrame, dict[str, int]]:
    """The triples without repetitions, each in a part, and counts of what was left out.

    Triples that come divided keep their parts, and the pairs that cross them are counted. Others are divided by
    chance: of the relations `asked` (all others train) what `by` holds together goes to one part. A triple whose
    pair is held out elsewhere is left out of all parts and marked so, because it is true. `given` says whether the
    source made the split.

    Raises:
        SplitError: a relation that does not exist, or a part without triples.
    """
    distinct = triples.drop_duplicates(["head", "relation", "tail", "split"], ignore_index=True)
    counts = {"repeated_triples": len(triples) - len(distinct)}
    if not (distinct["split"] == UNDIVIDED).any():
        counts["pairs_in_two_splits"] = len(np.unique(leaking_pairs(distinct)))
        return distinct.assign(given=True), counts
    part = _divide(distinct, entities, asked, features)
    claimed = _claimed_later(distinct, part)
    part[claimed] = SPLITS.index(LEFT_OUT)
    made = distinct.assign(split=pd.Categorical.from_codes(part, categories=pd.Index(SPLITS)), given=False)
    counts["triples_of_held_out_pairs_left_out"] = int(claimed.sum())
    for name in (TRAIN, VALIDATION, TEST):
        if not (made["split"] == name).any():
            raise SplitError(f"the split leaves no triple for {name}: change features.val_fraction and test_fraction")
    return made, counts


def assert_no_leak(triples: pd.DataFrame) -> None:
    """Raise SplitError when a pair of ends stands in two parts, in whatever direction or relation.

    What is left out is in no part.
    """
    triples = triples[triples["split"] != LEFT_OUT]
    found = leaking_pairs(triples)
    if len(found):
        row = triples.iloc[int(np.flatnonzero(np.isin(pair_keys(triples), found))[0])]
        raise SplitError(f"{len(found)} pairs stand in two parts, such as {row['head']} and {row['tail']}: split again")


def leaking_pairs(triples: pd.DataFrame) -> NDArray[np.int64]:
    """Keys of the unordered pairs of ends that stand in two parts."""
    both = np.unique(np.stack([pair_keys(triples), triples["split"].cat.codes.to_numpy(np.int64)]), axis=1)
    keys, count = np.unique(both[0], return_counts=True)
    return keys[count > 1]


def pair_keys(triples: pd.DataFrame) -> NDArray[np.int64]:
    """A number for each unordered pair of ends."""
    names = triples["head"].cat.categories
    head = triples["head"].cat.codes.to_numpy(np.int64)
    tail = triples["tail"].cat.set_categories(names).cat.codes.to_numpy(np.int64)
    return np.minimum(head, tail) * len(names) + np.maximum(head, tail)


def _divide(
    triples: pd.DataFrame, entities: pd.DataFrame, asked: Sequence[str], features: FeatureOptions
) -> NDArray[np.int8]:
    """The part of each triple, before pairs that others claim are left out."""
    present = set(triples["relation"].cat.categories)
    missing = [name for name in asked if name not in present]
    if missing:
        raise SplitError(f"features.split_relations names {missing[0]!r}: the relations are {_some(sorted(present))}")
    candidate = triples["relation"].isin(list(asked)).to_numpy()
    part = np.full(len(triples), SPLITS.index(TRAIN), np.int8)
    together = pair_keys(triples) if features.split_by == "pair" else triples["head"].cat.codes.to_numpy(np.int64)
    kinds, place = np.unique(together[candidate], return_inverse=True)
    chance = generator(features.seed, "split").permutation(len(kinds)) / max(len(kinds), 1)
    names = np.where(
        chance < features.test_fraction,
        SPLITS.index(TEST),
        np.where(chance < features.test_fraction + features.val_fraction, SPLITS.index(VALIDATION), SPLITS.index(TRAIN)),
    )
    part[candidate] = names[place]
    part[candidate & _of_held_out_groups(triples, entities, features)] = SPLITS.index(TEST_GROUPS)
    return part


def _of_held_out_groups(triples: pd.DataFrame, entities: pd.DataFrame, features: FeatureOptions) -> NDArray[np.bool_]:
    """Whether the head of a triple belongs to a group that is held out whole."""
    groups = np.unique(entities.loc[entities["group"] != "", "group"].to_numpy(dtype=str))
    chosen = generator(features.seed, "groups").permutation(groups)[: round(features.group_fraction * len(groups))]
    members = entities.loc[entities["group"].isin(chosen.tolist()), "entity"]
    return triples["head"].isin(members).to_numpy()


def _claimed_later(triples: pd.DataFrame, part: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Whether a triple's pair stands in a later part, too."""
    order = np.array([_ORDER.index(name) if name in _ORDER else -1 for name in SPLITS])[part]
    _, place = np.unique(pair_keys(triples), return_inverse=True)
    latest = np.full(int(place.max(initial=-1)) + 1, -1)
    np.maximum.at(latest, place, order)
    return order < latest[place]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
