"""Faults of an evaluation that are told before the training, not after it."""

from __future__ import annotations

import pandas as pd

from terrarium.pipelines.knowledge_graph.baselines import compared
from terrarium.pipelines.knowledge_graph.graph import Graph
from terrarium.pipelines.knowledge_graph.options import EvaluationOptions, TrainingOptions
from terrarium.pipelines.knowledge_graph.precision import resolved
from terrarium.pipelines.knowledge_graph.predictions import questions
from terrarium.training.device import check_precision, resolve_device


def check_evaluation(
    graph: Graph,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    training: TrainingOptions,
    evaluation: EvaluationOptions,
) -> None:
    """Nothing, where all that evaluation and prediction are asked for exists; epochs are measured on training's device.

    Raises:
        DeviceError: a device that is not there, or lacks the precision.
        UnknownEntityError, UnknownRelationError, NothingToPredictError: what is asked about does not exist.
    """
    for device in (training.device, evaluation.device):
        check_precision(resolve_device(device).partition(":")[0], resolved(evaluation.precision, device))
    compared(relations, evaluation.baseline)
    questions(graph, entities, relations, evaluation.predict)
