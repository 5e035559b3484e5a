"""Explain a prediction of a knowledge graph by its training triples."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from terrarium.kge.data.graph import TRAIN, Triples
from terrarium.kge.use.embedding import Explainer
from terrarium.kge.use.trained import TrainedGraph

_SHOWN = ["side", "rank", "score", "train_head_name", "train_relation", "train_tail_name"]


def explainer(
    trained: TrainedGraph, checkpoints: Path, options: Mapping[str, Any], evaluation: Mapping[str, Any]
) -> Explainer:
    """Return what computes the influence of training triples on predictions.

    Args:
        trained: the model.
        checkpoints: folder of its checkpoints; they are read when the first prediction is explained.
        options: parameters of `influence`: checkpoints, attribution and scoring.
        evaluation: parameters `knowledge_graph.evaluation`, for further trainings.
    """

    def explain(triples: Triples, k: int) -> pd.DataFrame:
        from terrarium.influence.data.named_graph import NamedGraph
        from terrarium.influence.options import AttributionOptions, CheckpointOptions, ScoringOptions
        from terrarium.influence.scoring.context import load_context
        from terrarium.influence.scoring.scoring import find_top_k
        from terrarium.influence.scoring.tables import score_table
        from terrarium.kge.options import EvaluationOptions

        graph = trained.graph
        scoring = ScoringOptions(**{**options["scoring"], "top_k": min(k, len(graph.splits[TRAIN]))})
        selection, attribution = (
            CheckpointOptions(**options["checkpoints"]),
            AttributionOptions(**options["attribution"]),
        )
        context = load_context(graph, checkpoints, selection, attribution, scoring, EvaluationOptions(**evaluation))
        named = NamedGraph(graph, trained.entities, trained.relations)
        queries = named.name(triples).assign(self_influence=float("nan"))
        table = score_table(queries, find_top_k(context, triples), pd.Series(dtype=float), named)[_SHOWN]
        return table.rename(columns=lambda name: name.removeprefix("train_").removesuffix("_name"))

    return explain
