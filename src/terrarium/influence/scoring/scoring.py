"""From checkpoints and query triples to tables of influence."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
import pandas as pd

from terrarium.influence.data.named_graph import TRIPLE_COLUMNS, NamedGraph
from terrarium.influence.options import PathOptions
from terrarium.influence.scoring.context import InfluenceContext
from terrarium.influence.scoring.messages import announce
from terrarium.influence.scoring.path_table import path_table
from terrarium.influence.scoring.paths import SIGNIFICANCE_LEVEL
from terrarium.influence.scoring.streaming import query_self_influence, self_influence, stream_influence
from terrarium.influence.scoring.tables import score_table
from terrarium.influence.scoring.topk import TopK, concatenate, select_top_k
from terrarium.kge.data.graph import HEAD, RELATION, TAIL, TRAIN, Graph, Triples
from terrarium.training.history import peak_memory_mb


class TopKError(ValueError):
    """More proponents requested than there are training triples."""


class InfluenceTables(NamedTuple):
    """Results of the influence pipeline.

    Attributes:
        scores: see `tables.score_table`.
        self_influence: one row per training triple, highest first: train_index, head ... tail_name, self_influence.
            Empty unless it is requested, or there is no query triple.
        paths: see `path_table.path_table`.
        metrics: counts, seconds, memory, and what proponents share with their query triple.
    """

    scores: pd.DataFrame
    self_influence: pd.DataFrame
    paths: pd.DataFrame
    metrics: dict[str, float]


def score_queries(
    context: InfluenceContext, queries: pd.DataFrame, named: NamedGraph, paths: PathOptions
) -> InfluenceTables:
    """Return proponents, opponents, self-influences and paths of query triples.

    Args:
        context: checkpoints, training triples and options.
        queries: table of query triples with `TRIPLE_COLUMNS`.
        named: the graph and its names.
        paths: options of the paths.

    Raises:
        TopKError: `top_k` is larger than the number of training triples.
        MismatchedArtifactsError: the queries are of another graph.
    """
    if len(queries):
        _require_top_k(named.graph, context.scoring.top_k)
    announce(context)
    triples = named.encode(queries)
    started = time.perf_counter()
    top = find_top_k(context, triples)
    seconds = time.perf_counter() - started
    index = np.unique(np.concatenate([ranking.index[ranking.counts] for ranking in top.sides.values()]))
    train_self_influence = pd.Series(self_influence(context, index), index)
    explained = queries.assign(self_influence=query_self_influence(context, triples))
    scores = score_table(explained, top, train_self_influence, named)
    path_rows = path_table(context, triples, named, paths)
    metrics = influence_metrics(context, triples, top, path_rows, seconds)
    return InfluenceTables(scores, _self_influence_table(context, named, len(queries)), path_rows, metrics)


def _require_top_k(graph: Graph, top_k: int) -> None:
    if top_k > len(graph.splits[TRAIN]):
        raise TopKError(
            f"influence.scoring.top_k is {top_k} and there are {len(graph.splits[TRAIN])} training triples: lower it"
        )


def find_top_k(context: InfluenceContext, queries: Triples) -> TopK:
    """Return the top proponents and opponents of query triples (T, 3), one batch of them after the other."""
    top_k, batch_size = context.scoring.top_k, context.scoring.batch_size
    if not len(queries):
        index, score = np.empty((0, top_k), np.int64), np.empty((0, top_k))
        return TopK.of(index, score, index, score)
    batches = np.split(queries, range(batch_size, len(queries), batch_size))
    return concatenate([select_top_k(stream_influence(context, batch), top_k) for batch in batches])


def _self_influence_table(context: InfluenceContext, named: NamedGraph, num_queries: int) -> pd.DataFrame:
    """Return every training triple with its self-influence, highest first."""
    if num_queries and not context.scoring.self_influence:
        return pd.DataFrame(columns=["train_index", *TRIPLE_COLUMNS, "self_influence"])
    values = self_influence(context)
    table = named.name(context.train)[TRIPLE_COLUMNS]
    table.insert(0, "train_index", np.arange(len(values)))
    table = table.assign(self_influence=values)
    return table.sort_values("self_influence", ascending=False, kind="stable", ignore_index=True)


def influence_metrics(
    context: InfluenceContext, queries: Triples, top: TopK, paths: pd.DataFrame, seconds: float
) -> dict[str, float]:
    """Return counts, cost and quality of an influence computation.

    Args:
        context: trained model and training triples.
        queries: query triples, shape (T, 3).
        top: their proponents and opponents.
        paths: from `path_table`.
        seconds: time that the scores took.

    Returns:
        queries, training_triples, checkpoints (numbers), peak_memory_mb, and with query triples seconds,
        pairs_per_second and `shared_fractions`; with tested paths paths_tested and paths_p_below_0_05 (fraction).
    """
    num_queries, num_train = len(queries), len(context.train)
    metrics: dict[str, float] = {
        "queries": num_queries,
        "training_triples": num_train,
        "checkpoints": len(context.snapshots),
        "peak_memory_mb": peak_memory_mb(),
    }
    if num_queries:
        metrics |= {"seconds": seconds, "pairs_per_second": num_queries * num_train / seconds}
        metrics |= shared_fractions(context.train, queries, top)
    p_values = paths.drop_duplicates("query")["p_value"].dropna() if len(paths) else pd.Series(dtype=float)
    if len(p_values):
        metrics |= {"paths_tested": len(p_values), "paths_p_below_0_05": float((p_values < SIGNIFICANCE_LEVEL).mean())}
    return {name: float(value) for name, value in metrics.items()}


def shared_fractions(train: Triples, queries: Triples, top: TopK) -> dict[str, float]:
    """Return the fractions of proponents, opponents and all training triples that share something with their query.

    Args:
        train: (n, 3) training triples.
        queries: (T, 3) query triples.
        top: their proponents and opponents.

    Returns:
        For proponents, opponents and training: NAME_same_relation, and NAME_shared_entity (any common entity).
    """
    fractions: dict[str, float] = {}
    for side, ranking in top.sides.items():
        query, _ = np.nonzero(ranking.counts)
        if len(query):
            shared = _shared(train[ranking.index[ranking.counts]], queries[query])
            fractions |= {f"{side}s_{name}": value for name, value in shared.items()}
    of_training = [_shared(train, query) for query in queries]
    return fractions | {
        f"training_{name}": float(np.mean([shared[name] for shared in of_training])) for name in of_training[0]
    }


def _shared(triples: Triples, queries: Triples) -> dict[str, float]:
    """Return the fractions of triples (n, 3) with the relation or an entity of queries, (n, 3) or one (3,)."""
    same_relation = triples[..., RELATION] == queries[..., RELATION]
    ends = queries[..., [HEAD, TAIL]]
    shared_entity = ((triples[..., HEAD, None] == ends) | (triples[..., TAIL, None] == ends)).any(-1)
    return {"same_relation": float(same_relation.mean()), "shared_entity": float(shared_entity.mean())}
