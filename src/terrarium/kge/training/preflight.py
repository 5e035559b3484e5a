"""Faults of an evaluation that are told before the training, not after it."""

from __future__ import annotations

import pandas as pd

from terrarium.kge.data.graph import Graph
from terrarium.kge.evaluation.baselines import compared
from terrarium.kge.evaluation.predictions import questions
from terrarium.kge.options import EvaluationOptions, TrainingOptions
from terrarium.kge.training.precision import resolve_precision
from terrarium.training.torch.device import check_precision, resolve_device


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
        check_precision(resolve_device(device).partition(":")[0], resolve_precision(evaluation.precision, device))
    compared(relations, evaluation.baseline)
    questions(graph, entities, relations, evaluation.predict)
