"""Held-out relations: the rank of the correct answer among all synsets, and the direction of is-a."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from terrarium.common.arrays import Float32Array, Float64Array, Int64Array
from terrarium.senses.data.relations import HYPERNYM, IS_A, RELATIONS, SYMMETRIC
from terrarium.senses.models.vectors import SenseVectors

_CHUNK = 256
_SWAP = {"head": "tail", "tail": "head"}


class SynsetPairs(NamedTuple):
    """Rows (n,) of children (or descendants) and their parents (or ancestors)."""

    child: Int64Array
    parent: Int64Array


def filtered_ranks(
    vectors: SenseVectors, pairs: pd.DataFrame, max_pairs: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Rank the answer of each test pair, in both directions, among all synsets but the other correct answers.

    Args:
        vectors: to score with.
        pairs: columns relation, head, tail and split; all splits are filtered out.
        max_pairs: largest number of pairs per relation; more are sampled.
        rng: of the sample.

    Returns:
        Columns relation (name), direction (tail or head: the end that is predicted), rank (from 1; ties count half).
    """
    tables = []
    for number, known in pairs.groupby("relation"):
        relation = RELATIONS[int(str(number))]
        test = known[known["split"] == "test"]
        if test.empty:
            continue
        chosen = test.iloc[np.sort(rng.permutation(len(test))[:max_pairs])]
        forward, backward = known[["head", "tail"]], known.rename(columns=_SWAP)[["head", "tail"]]
        if relation in SYMMETRIC:
            forward = backward = pd.concat([forward, backward])
        for direction, answers, queries in (
            ("tail", forward, chosen),
            ("head", backward, chosen.rename(columns=_SWAP)),
        ):
            inverse = direction == "head" and relation not in SYMMETRIC
            rank = _rank_answers(vectors, relation, inverse, queries, answers)
            tables.append(pd.DataFrame({"relation": relation, "direction": direction, "rank": rank}))
    if not tables:
        return pd.DataFrame({"relation": [], "direction": [], "rank": []})
    return pd.concat(tables, ignore_index=True)


def ranking_metrics(ranks: pd.DataFrame) -> pd.DataFrame:
    """Return relation, queries, mrr, hits_at_10 and mean_rank, one row per relation, from columns relation and rank."""
    scored = ranks.assign(mrr=1 / ranks["rank"], hits_at_10=(ranks["rank"] <= 10).astype(float))
    grouped = scored.groupby("relation")
    table = grouped[["mrr", "hits_at_10"]].mean().assign(mean_rank=grouped["rank"].mean(), queries=grouped.size())
    return table.reset_index()[["relation", "queries", "mrr", "hits_at_10", "mean_rank"]]


def direction_accuracy(vectors: SenseVectors, pairs: SynsetPairs) -> float:
    """Return the fraction of pairs for which "child is a parent" scores above "parent is a child"; ties count half.

    The score of "a is a b" is the hypernym query of a times b, plus the inverse query of b times a. NaN without pairs.
    """
    if not len(pairs.child):
        return float("nan")
    child, parent = vectors.synsets[pairs.child], vectors.synsets[pairs.parent]
    difference = _score_is_a(vectors, child, parent) - _score_is_a(vectors, parent, child)
    return float((difference > 0).mean() + 0.5 * (difference == 0).mean())


def select_is_a_pairs(pairs: pd.DataFrame, split: str) -> SynsetPairs:
    """Return child and parent of the is-a pairs (columns relation, head, tail, split) of a split."""
    chosen = pairs[pairs["relation"].isin(IS_A) & (pairs["split"] == split)]
    return SynsetPairs(chosen["head"].to_numpy(), chosen["tail"].to_numpy())


def sample_distant_ancestors(ancestors: pd.DataFrame, count: int, rng: np.random.Generator) -> SynsetPairs:
    """Draw at most `count` pairs of a synset and an ancestor that is not its parent.

    Args:
        ancestors: columns ancestor, descendant and depth_diff.
        count: largest number of pairs.
        rng: of the sample.
    """
    distant = ancestors[ancestors["depth_diff"] > 1]
    chosen = distant.iloc[np.sort(rng.permutation(len(distant))[:count])]
    return SynsetPairs(chosen["descendant"].to_numpy(), chosen["ancestor"].to_numpy())


def _score_is_a(vectors: SenseVectors, child: Float32Array, parent: Float32Array) -> Float32Array:
    upwards = (vectors.queries(child, HYPERNYM) * parent).sum(1)
    downwards = (vectors.queries(parent, HYPERNYM, inverse=True) * child).sum(1)
    score: Float32Array = upwards + downwards
    return score


def _rank_answers(
    vectors: SenseVectors, relation: str, inverse: bool, queries: pd.DataFrame, answers: pd.DataFrame
) -> Float64Array:
    head, tail = queries["head"].to_numpy(), queries["tail"].to_numpy()
    relevant = answers[answers["head"].isin(head)]
    correct = {source: tails.to_numpy() for source, tails in relevant.groupby("head")["tail"]}
    ranks = np.empty(len(head))
    for start in range(0, len(head), _CHUNK):
        heads, tails = head[start : start + _CHUNK], tail[start : start + _CHUNK]
        scores = vectors.queries(vectors.synsets[heads], relation, inverse=inverse) @ vectors.synsets.T
        for i, (source, target) in enumerate(zip(heads, tails, strict=True)):
            row, own = scores[i], scores[i, target]
            row[correct.get(source, [])] = -np.inf
            row[source] = -np.inf
            ranks[start + i] = 1 + (row > own).sum() + 0.5 * (row == own).sum()
    return ranks
