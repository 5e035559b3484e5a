"""All metrics of a scorer on the held-out splits."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from terrarium.kge.data.graph import TEST, Graph
from terrarium.kge.data.queries import KnownAnswers
from terrarium.kge.evaluation.baselines import compare_methods
from terrarium.kge.evaluation.metrics import rank_table, relation_metrics, split_metrics
from terrarium.kge.evaluation.ranking import rank_triples
from terrarium.kge.models.scorer import Scorer, load_scorer
from terrarium.kge.options import EvaluationOptions
from terrarium.kge.training.precision import cast_model
from terrarium.training.checkpointing.state import State
from terrarium.training.torch.device import resolve_device

logger = logging.getLogger(__name__)


class Evaluation(NamedTuple):
    """What `evaluate_scorer` measures.

    Attributes:
        metrics: by name, see `split_metrics`; the seconds of each split; accuracy and MRR of each method.
        relation_metrics: see `metrics.relation_metrics`.
        method_metrics: see `compare_methods`.
        ranks: see `rank_table`.
    """

    metrics: dict[str, float]
    relation_metrics: pd.DataFrame
    method_metrics: pd.DataFrame
    ranks: pd.DataFrame


def prepare_scorer(weights: State, graph: Graph, evaluation: EvaluationOptions) -> Scorer:
    """Return the scorer of the weights on the evaluation's device, in its precision.

    Raises:
        WrongWeightsError, MismatchedArtifactsError: weights of another family or another graph.
        DeviceError: the device does not exist.
    """
    scorer = load_scorer(weights, graph.fingerprint)
    cast_model(scorer, evaluation.precision).to(resolve_device(evaluation.device))
    return scorer


def evaluate_scorer(
    graph: Graph,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    weights: State,
    evaluation: EvaluationOptions,
    splits: Sequence[str],
) -> Evaluation:
    """Rank the triples of some splits, and compare the scorer with the untrained baselines.

    Args:
        graph: the graph.
        entities: columns entity (id) and name; row i is entity number i.
        relations: columns relation (id), name, is_target, is_hierarchy and split_by; row i is relation number i.
        weights: the catalog entry `knowledge_graph.weights`.
        evaluation: device, precision, baselines and memory.
        splits: names of the splits, such as validation and test; those without triples are skipped.

    Raises:
        ScoresNotFiniteError: a score is not finite.
        UnknownRelationError: an option names a relation that does not exist.
    """
    scorer = prepare_scorer(weights, graph, evaluation)
    known = KnownAnswers(graph.known_triples, graph.num_relations)
    metrics: dict[str, float] = {}
    by_relation, ranks_of_splits = [], []
    measured = [name for name in splits if len(graph.splits[name])]
    for name in measured:
        started = time.perf_counter()
        ranks = rank_triples(scorer, graph.splits[name], known, evaluation)
        metrics |= split_metrics(name, graph, ranks) | {f"{name}_seconds": time.perf_counter() - started}
        by_relation.append(relation_metrics(name, graph, ranks, relations))
        ranks_of_splits.append(rank_table(name, graph, ranks, entities, relations))
    if TEST in measured:
        logger.info(
            "Test, filtered, both sides: MRR %.4f, Hits@10 %.4f; %d of %d triples have an entity unseen in training",
            metrics["test_mrr"],
            metrics["test_hits_at_10"],
            metrics["test_triples_with_unseen_entities"],
            metrics["test_triples"],
        )
    methods = compare_methods(graph, relations, scorer, known, measured, evaluation)
    for row in methods.to_dict("records"):
        prefix = f"{row['split']}_{str(row['method']).replace(' ', '_')}"
        metrics |= {f"{prefix}_{key}": float(row[key]) for key in ("top_answer_accuracy", "mrr")}
    return Evaluation(
        metrics, pd.concat(by_relation, ignore_index=True), methods, pd.concat(ranks_of_splits, ignore_index=True)
    )
