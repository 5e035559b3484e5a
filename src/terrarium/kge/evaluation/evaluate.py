"""All measures of a scorer on the splits that were not trained on."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

import pandas as pd

from terrarium.kge.data.graph import TEST, Graph
from terrarium.kge.data.queries import KnownAnswers
from terrarium.kge.evaluation.baselines import compare
from terrarium.kge.evaluation.metrics import by_relation, of_split, rank_table
from terrarium.kge.evaluation.ranking import rank_triples
from terrarium.kge.models.scorer import Scorer, load_scorer
from terrarium.kge.options import EvaluationOptions
from terrarium.kge.training.precision import cast_model
from terrarium.training.checkpointing.state import State
from terrarium.training.torch.device import resolve_device

logger = logging.getLogger(__name__)


def ready(weights: State, graph: Graph, evaluation: EvaluationOptions) -> Scorer:
    """The scorer of the weights on the evaluation's device; refuses those of another graph."""
    scorer = load_scorer(weights, graph.fingerprint)
    cast_model(scorer, evaluation.precision).to(resolve_device(evaluation.device))
    return scorer


def measure(
    graph: Graph,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    weights: State,
    evaluation: EvaluationOptions,
    splits: Sequence[str],
) -> tuple[dict[str, float], pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Metrics by name, measures by relation and side, methods compared, and the ranks of every triple."""
    scorer = ready(weights, graph, evaluation)
    known = KnownAnswers(graph.known_triples, graph.num_relations)
    metrics: dict[str, float] = {}
    of_relations, tables = [], []
    asked = [name for name in splits if len(graph.splits[name])]
    for name in asked:
        started = time.perf_counter()
        ranks = rank_triples(scorer, graph.splits[name], known, evaluation)
        metrics |= of_split(name, graph, ranks) | {f"{name}_seconds": time.perf_counter() - started}
        of_relations.append(by_relation(name, graph, ranks, relations))
        tables.append(rank_table(name, graph, ranks, entities, relations))
    if TEST in asked:
        logger.info(
            "Test, filtered, both sides: MRR %.4f, Hits@10 %.4f; %d of %d triples have an entity unseen in training",
            *(metrics["test_mrr"], metrics["test_hits_at_10"]),
            *(metrics["test_triples_with_unseen_entities"], metrics["test_triples"]),
        )
    methods = compare(graph, relations, scorer, known, asked, evaluation)
    for row in methods.to_dict("records"):
        name = f"{row['split']}_{str(row['method']).replace(' ', '_')}"
        metrics |= {f"{name}_{key}": float(row[key]) for key in ("top_answer_accuracy", "mrr")}
    return metrics, pd.concat(of_relations, ignore_index=True), methods, pd.concat(tables, ignore_index=True)
