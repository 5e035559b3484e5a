"""Measures of ranks: mean reciprocal rank, mean rank and Hits@k, overall, by side and by relation."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terrarium.kge.data.graph import HEAD, RELATION, TAIL, Graph

HITS = (1, 3, 10)
SIDES = ("head", "tail")
Float64Array = NDArray[np.float64]


def of_ranks(ranks: Float64Array) -> dict[str, float]:
    """mrr, mean_rank and hits_at_k of ranks of any shape; nothing of none."""
    if not ranks.size:
        return {}
    hits = {f"hits_at_{k}": float((ranks <= k).mean()) for k in HITS}
    return {"mrr": float((1 / ranks).mean()), "mean_rank": float(ranks.mean()), **hits}


def of_split(name: str, graph: Graph, ranks: Float64Array) -> dict[str, float]:
    """All measures of a split's (n, 2) ranks, by names that begin with the split's."""
    triples = graph.splits[name]
    seen = graph.entities_in_training[triples[:, [HEAD, TAIL]]].all(axis=1)
    found = of_ranks(ranks)
    for place, side in enumerate(SIDES):
        found |= {f"{side}_{measure}": value for measure, value in of_ranks(ranks[:, place]).items()}
    found |= {"triples": float(len(triples)), "triples_with_unseen_entities": float((~seen).sum())}
    found |= {f"seen_{measure}": value for measure, value in of_ranks(ranks[seen]).items() if not seen.all()}
    return {f"{name}_{measure}": value for measure, value in found.items()}


def by_relation(name: str, graph: Graph, ranks: Float64Array, relations: pd.DataFrame) -> pd.DataFrame:
    """A row a relation and side: split, relation, name, side, triples, mrr, mean_rank, hits_at_1, _3, _10."""
    of = graph.splits[name][:, RELATION]
    rows = [
        {
            "split": name,
            "relation": relations["relation"].iloc[relation],
            "name": relations["name"].iloc[relation],
            "side": side,
            "triples": int((of == relation).sum()),
            **of_ranks(ranks[of == relation][:, place]),
        }
        for relation in np.unique(of)
        for place, side in enumerate(SIDES)
    ]
    columns = ["split", "relation", "name", "side", "triples", "mrr", "mean_rank", *(f"hits_at_{k}" for k in HITS)]
    return pd.DataFrame(rows, columns=columns)


def rank_table(
    name: str, graph: Graph, ranks: Float64Array, entities: pd.DataFrame, relations: pd.DataFrame
) -> pd.DataFrame:
    """A row a triple: split, head, relation, tail, head_rank, tail_rank."""
    head, relation, tail = graph.splits[name].T
    return pd.DataFrame(
        {
            "split": name,
            "head": entities["entity"].to_numpy()[head],
            "relation": relations["relation"].to_numpy()[relation],
            "tail": entities["entity"].to_numpy()[tail],
            "head_rank": ranks[:, 0],
            "tail_rank": ranks[:, 1],
        }
    )
