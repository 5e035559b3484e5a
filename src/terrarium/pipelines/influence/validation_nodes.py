"""What the pipeline influence_validation does, step by step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pandas as pd

from terrarium.influence.options import AttributionOptions, ScoringOptions, ValidationOptions
from terrarium.kge.options import EvaluationOptions

StudyName = Literal["score_datamodels", "delete_proponents", "detect_mislabelled"]


def study_node(name: StudyName) -> Callable[..., pd.DataFrame]:
    """Return the node function of a study in `terrarium.influence.validation.studies`; all have the same inputs."""

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
        from terrarium.influence.validation import studies
        from terrarium.influence.validation.study import prepare_study

        graph = NamedGraph.of(triples, entities, relations).graph
        study = prepare_study(graph, checkpoints, validation, attribution, scoring, evaluation)
        table: pd.DataFrame = getattr(studies, name)(study)
        return table

    run_study.__name__ = name
    return run_study
