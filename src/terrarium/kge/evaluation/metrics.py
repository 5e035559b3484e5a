"""Metrics of ranks: mean reciprocal rank, mean rank and Hits@k, overall, by side and by relation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from terrarium.common.arrays import Float64Array
from terrarium.kge.data.graph import RELATION, Graph

HITS_AT = (1, 3, 10)
SIDES = ("head", "tail")
"""Columns of an array of ranks."""
RANK_METRICS = ("mrr", "mean_rank", *(f"hits_at_{k}" for k in HITS_AT))


def rank_metrics(ranks: Float64Array) -> dict[str, float]:
    """Return the metrics `RANK_METRICS` of ranks.

    Args:
        ranks: filtered ranks from 1, of any shape.

    Returns:
        mrr (mean reciprocal rank), mean_rank and hits_at_1, hits_at_3, hits_at_10 (fractions); empty without ranks.
    """
    if not ranks.size:
        return {}
    hits = {f"hits_at_{k}": float((ranks <= k).mean()) for k in HITS_AT}
    return {"mrr": float((1 / ranks).mean()), "mean_rank": float(ranks.mean()), **hits}


def split_metrics(split: str, graph: Graph, ranks: Float64Array) -> dict[str, float]:
    """Return all metrics of a split.

    Args:
        split: name of the split.
        graph: the graph.
        ranks: shape (n, 2), of heads and tails of the split's triples.

    Returns:
        By names that begin with the split's: `RANK_METRICS` of both sides, of each side (head_, tail_) and of triples
        without unseen entities (seen_; only if there are others), triples, triples_with_unseen_entities.
    """
    triples = graph.splits[split]
    unseen = graph.has_unseen_entity(triples)
    metrics = rank_metrics(ranks)
    for column, side in enumerate(SIDES):
        metrics |= {f"{side}_{name}": value for name, value in rank_metrics(ranks[:, column]).items()}
    metrics |= {"triples": float(len(triples)), "triples_with_unseen_entities": float(unseen.sum())}
    if unseen.any():
        metrics |= {f"seen_{name}": value for name, value in rank_metrics(ranks[~unseen]).items()}
    return {f"{split}_{name}": value for name, value in metrics.items()}


def relation_metrics(split: str, graph: Graph, ranks: Float64Array, relations: pd.DataFrame) -> pd.DataFrame:
    """Return metrics by relation and side.

    Args:
        split: name of the split.
        graph: the graph.
        ranks: shape (n, 2), of heads and tails of the split's triples.
        relations: the table of relations.

    Returns:
        Columns split, relation, name, side (head or tail), triples and `RANK_METRICS`.
    """
    relation_of = graph.splits[split][:, RELATION]
    rows = [
        {
            "split": split,
            "relation": relations["relation"].iloc[relation],
            "name": relations["name"].iloc[relation],
            "side": side,
            "triples": int((relation_of == relation).sum()),
            **rank_metrics(ranks[relation_of == relation][:, column]),
        }
        for relation in np.unique(relation_of)
        for column, side in enumerate(SIDES)
    ]
    return pd.DataFrame(rows, columns=["split", "relation", "name", "side", "triples", *RANK_METRICS])


def rank_table(
    split: str, graph: Graph, ranks: Float64Array, entities: pd.DataFrame, relations: pd.DataFrame
) -> pd.DataFrame:
    """Return the ranks of a split as a table.

    Args:
        split: name of the split.
        graph: the graph.
        ranks: shape (n, 2), of heads and tails of the split's triples.
        entities: column entity (id); row i is entity number i.
        relations: column relation (id); row i is relation number i.

    Returns:
        One row per triple: split, head, relation, tail, head_rank, tail_rank.
    """
    head, relation, tail = graph.splits[split].T
    return pd.DataFrame(
        {
            "split": split,
            "head": entities["entity"].to_numpy()[head],
            "relation": relations["relation"].to_numpy()[relation],
            "tail": entities["entity"].to_numpy()[tail],
            "head_rank": ranks[:, 0],
            "tail_rank": ranks[:, 1],
        }
    )
