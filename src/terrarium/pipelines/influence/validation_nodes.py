"""What the pipeline influence_validation does, step by step.

The studies are imported when a node runs, because they import torch.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from terrarium.influence.options import AttributionOptions, ScoringOptions, ValidationOptions
from terrarium.kge.options import EvaluationOptions

if TYPE_CHECKING:
    from terrarium.influence.validation.study import Study


def study_node(run: Callable[[Study], pd.DataFrame]) -> Callable[..., pd.DataFrame]:
    """Return the node function that prepares a study from the datasets and options, and runs it.

    As a decorator it keeps name and module, by which runners send a node to another process.
    """

    def run_study(
        triples: pd.DataFrame,
        entities: pd.DataFrame,
        relations: pd.DataFrame,
        checkpoints: Path,
        validation: ValidationOptions,
        attribution: AttributionOptions,
        scoring: ScoringOptions,
        evaluation: EvaluationOptions,
    ) -> pd.DataFrame:
        from terrarium.influence.data.named_graph import NamedGraph
        from terrarium.influence.validation.study import prepare_study

        graph = NamedGraph.of(triples, entities, relations).graph
        return run(prepare_study(graph, checkpoints, validation, attribution, scoring, evaluation))

    run_study.__name__, run_study.__qualname__ = run.__name__, run.__qualname__
    return run_study


@study_node
def score_datamodels(study: Study) -> pd.DataFrame:
    """Return the linear datamodeling score of attribution methods, one row per method and seed."""
    from terrarium.influence.validation import studies

    return studies.score_datamodels(study)


@study_node
def delete_proponents(study: Study) -> pd.DataFrame:
    """Return how much predictions drop without their top proponents, one row per retraining."""
    from terrarium.influence.validation import studies

    return studies.delete_proponents(study)


@study_node
def detect_mislabelled(study: Study) -> pd.DataFrame:
    """Return how well self-influence detects mislabelled triples, one row per method and seed."""
    from terrarium.influence.validation import studies

    return studies.detect_mislabelled(study)
