"""Influence scores with names: a long table, and the JSON and CSV files of the reference TracIn script."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from terrarium.influence.data.named_graph import TRIPLE_COLUMNS, NamedGraph
from terrarium.influence.scoring.shared_ancestors import nearest_shared_ancestors
from terrarium.influence.scoring.topk import Ranking, TopK
from terrarium.kge.data.graph import HEAD, TRAIN
from terrarium.reporting.csv_text import to_csv_text

_CSV_LABELS = {
    "head": "Head",
    "head_name": "Head_label",
    "relation": "Rel",
    "relation_name": "Rel_label",
    "tail": "Tail",
    "tail_name": "Tail_label",
}
_REFERENCE_PREFIXES = {"query": "test", "train": "train"}


def score_table(queries: pd.DataFrame, top: TopK, train_self_influence: pd.Series, named: NamedGraph) -> pd.DataFrame:
    """Return one row per query triple, side and rank.

    A side has fewer rows than `top_k` where fewer training triples have its sign.

    Args:
        queries: table of query triples with `TRIPLE_COLUMNS` and self_influence.
        top: their proponents and opponents.
        train_self_influence: self-influences by the index of training triples.
        named: the graph and its names.

    Returns:
        Columns query (row of `queries`), side (proponent or opponent), rank (from 1), train_index, score,
        query_self_influence, query_head ... query_tail_name, train_head ... train_tail_name, train_self_influence,
        shared_ancestor (name of the nearest ancestor that both heads share, or "").
    """
    tables = [_side_table(queries, side, ranking, named) for side, ranking in top.sides.items()]
    table = pd.concat(tables, ignore_index=True)
    table["train_self_influence"] = train_self_influence.reindex(table["train_index"]).to_numpy()
    table["shared_ancestor"] = _shared_ancestor_names(queries, table, named)
    return table.sort_values(["query", "side", "rank"], ascending=[True, False, True], ignore_index=True)


def _shared_ancestor_names(queries: pd.DataFrame, table: pd.DataFrame, named: NamedGraph) -> NDArray[np.object_]:
    """Return the names (n,) of the nearest ancestors that the heads of query and training triple share, or ""."""
    heads = named.encode(queries)[:, HEAD][table["query"].to_numpy()]
    training = named.graph.splits[TRAIN][table["train_index"].to_numpy(), HEAD]
    shared = nearest_shared_ancestors(named.graph, heads, training)
    names: NDArray[np.object_] = named.entities["name"].to_numpy(dtype=object)[shared]
    return np.where(shared >= 0, names, "")


def _side_table(queries: pd.DataFrame, side: str, ranking: Ranking, named: NamedGraph) -> pd.DataFrame:
    query, rank = np.nonzero(ranking.counts)
    index, score = ranking.index[ranking.counts], ranking.score[ranking.counts]
    ranks = pd.DataFrame({"query": query, "side": side, "rank": rank + 1, "train_index": index, "score": score})
    explained = queries[[*TRIPLE_COLUMNS, "self_influence"]].iloc[query].add_prefix("query_").reset_index(drop=True)
    training = named.name(named.graph.splits[TRAIN][index])[TRIPLE_COLUMNS].add_prefix("train_")
    return pd.concat([ranks, explained, training], axis=1)


def to_reference_json(scores: pd.DataFrame, method: str) -> list[dict[str, Any]]:
    """Return a score table as the reference script's JSON, with the name of the `method` added.

    One object per query triple with test_head ... test_tail_name, self_influence and `influences`, a list of training
    triples with train_head ... train_tail_name, influence and self_influence, by decreasing absolute influence.
    """
    objects = []
    for _, rows in scores.groupby("query", sort=True):
        first = rows.iloc[0]
        by_strength = rows.sort_values("score", key=np.abs, ascending=False, kind="stable")
        objects.append(
            {
                "method": method,
                **{f"test_{name}": first[f"query_{name}"] for name in TRIPLE_COLUMNS},
                "self_influence": float(first["query_self_influence"]),
                "influences": [_influence_object(row) for row in by_strength.to_dict("records")],
            }
        )
    return objects


def _influence_object(row: Any) -> dict[str, Any]:
    numbers = {"influence": float(row["score"]), "self_influence": float(row["train_self_influence"])}
    return {f"train_{name}": row[f"train_{name}"] for name in TRIPLE_COLUMNS} | numbers


def to_reference_csv(scores: pd.DataFrame) -> str:
    """Return a score table as the reference script's CSV of 14 columns, TestHead ... SelfInfluence.

    A text that a spreadsheet would run as a formula gets an apostrophe before it.
    """
    labels = {
        f"{prefix}_{name}": f"{reference.title()}{label}"
        for prefix, reference in _REFERENCE_PREFIXES.items()
        for name, label in _CSV_LABELS.items()
    }
    labels |= {"score": "TracInScore", "query_self_influence": "SelfInfluence"}
    return to_csv_text(scores[list(labels)].rename(columns=labels))
