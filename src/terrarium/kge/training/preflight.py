"""Find faults of the evaluation before the training, not after it."""

from __future__ import annotations

import pandas as pd

from terrarium.kge.data.graph import Graph
from terrarium.kge.evaluation.baselines import choose_relations
from terrarium.kge.evaluation.predictions import choose_queries
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
    """Check devices and precisions, and the names in the options of baselines and predictions.

    Args:
        graph: the graph.
        entities: columns entity (id) and name.
        relations: columns relation (id), is_target and is_hierarchy.
        training: device of the validation.
        evaluation: device, precision, baselines and predictions.

    Raises:
        DeviceError: a device does not exist or lacks the precision. Validation runs on the device of the training.
        UnknownEntityError, UnknownRelationError: a name that the graph lacks.
        NothingToPredictError: no query is left.
    """
    for device in (training.device, evaluation.device):
        check_precision(resolve_device(device).partition(":")[0], resolve_precision(evaluation.precision, device))
    choose_relations(relations, evaluation.baseline)
    choose_queries(graph, entities, relations, evaluation.predict)
