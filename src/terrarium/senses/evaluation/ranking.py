"""Held-out relations: where the right answer stands among all synsets, and which way is-a points."""

from __future__ import annotations

import numpy as np
import pandas as pd

from terrarium.senses.data.relations import HYPERNYM, INSTANCE, RELATIONS, SYMMETRIC
from terrarium.senses.data.splitting import PARTS
from terrarium.senses.models.vectors import Floats, Vectors, ask

_CHUNK = 256


def filtered_ranks(vectors: Vectors, pairs: pd.DataFrame, queries: int, rng: np.random.Generator) -> pd.DataFrame:
    """Rank of each held-out answer among all synsets but the other right ones: relation, rank, direction.

    Ties count half. Both directions are asked; of a relation at most `queries` pairs.
    """
    found = []
    for number, known in pairs.groupby("relation"):
        relation = RELATIONS[int(str(number))]
        tested = known[known["part"] == PARTS.index("test")]
        if tested.empty:
            continue
        chosen = tested.iloc[np.sort(rng.permutation(len(tested))[:queries])]
        symmetric = relation in SYMMETRIC
        both = pd.concat(
            [known[["head", "tail"]], known.rename(columns={"head": "tail", "tail": "head"})[["head", "tail"]]]
        )
        forward = both if symmetric else known
        backward = both if symmetric else known.rename(columns={"head": "tail", "tail": "head"})
        for direction, answers, head, tail in (
            ("tail", forward, chosen["head"].to_numpy(), chosen["tail"].to_numpy()),
            ("head", backward, chosen["tail"].to_numpy(), chosen["head"].to_numpy()),
        ):
            inverse = direction == "head" and not symmetric
            rank = _ranks(vectors, relation, inverse, head, tail, answers)
            found.append(pd.DataFrame({"relation": relation, "direction": direction, "rank": rank}))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame({"relation": [], "direction": [], "rank": []})


def summary_of(ranks: pd.DataFrame) -> pd.DataFrame:
    """Relation, queries, mrr, hits_at_10 and mean_rank, a row a relation."""
    scored = ranks.assign(mrr=1 / ranks["rank"], hits_at_10=(ranks["rank"] <= 10).astype(float))
    grouped = scored.groupby("relation")
    table = grouped[["mrr", "hits_at_10"]].mean().assign(mean_rank=grouped["rank"].mean(), queries=grouped.size())
    return table.reset_index()[["relation", "queries", "mrr", "hits_at_10", "mean_rank"]]


def direction_accuracy(vectors: Vectors, child: np.ndarray, parent: np.ndarray) -> float:
    """How often `child is a parent` scores above `parent is a child`; ties count half.

    A pair scores what hypernymy asks of the child plus what its inverse asks of the parent.
    """
    if not len(child):
        return float("nan")
    below, above = vectors.synsets[child], vectors.synsets[parent]
    difference = _is_a(vectors, below, above) - _is_a(vectors, above, below)
    return float((difference > 0).mean() + 0.5 * (difference == 0).mean())


def _is_a(vectors: Vectors, child: Floats, parent: Floats) -> Floats:
    upwards = (ask(vectors, child, HYPERNYM) * parent).sum(1)
    downwards = (ask(vectors, parent, HYPERNYM, inverse=True) * child).sum(1)
    score: Floats = upwards + downwards
    return score


def held_out_hypernyms(pairs: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Child and parent of the test pairs of is-a."""
    numbers = [RELATIONS.index(name) for name in (HYPERNYM, INSTANCE)]
    tested = pairs[pairs["relation"].isin(numbers) & (pairs["part"] == PARTS.index("test"))]
    return tested["head"].to_numpy(), tested["tail"].to_numpy()


def far_ancestors(held_out: pd.DataFrame, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Descendant and ancestor two steps apart or more that only a held-out pair connects; at most `count`."""
    far = held_out[held_out["depth_diff"] > 1]
    chosen = far.iloc[np.sort(rng.permutation(len(far))[:count])]
    return chosen["descendant"].to_numpy(), chosen["ancestor"].to_numpy()


def _ranks(
    vectors: Vectors, relation: str, inverse: bool, head: np.ndarray, tail: np.ndarray, answers: pd.DataFrame
) -> np.ndarray:
    asked_for = answers[answers["head"].isin(head)]
    known = {source: tails.to_numpy() for source, tails in asked_for.groupby("head")["tail"]}
    ranks = np.empty(len(head))
    for start in range(0, len(head), _CHUNK):
        asked, right = head[start : start + _CHUNK], tail[start : start + _CHUNK]
        scores = ask(vectors, vectors.synsets[asked], relation, inverse=inverse) @ vectors.synsets.T
        for i, (source, target) in enumerate(zip(asked, right, strict=True)):
            row, own = scores[i], scores[i, target]
            row[known.get(source, [])] = -np.inf
            row[source] = -np.inf
            ranks[start + i] = 1 + (row > own).sum() + 0.5 * (row == own).sum()
    return ranks
