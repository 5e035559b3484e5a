"""What the pipeline influence_validation does, step by step."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from terrarium.influence.data.provenance import graph_of
from terrarium.influence.options import EvaluationOptions, FeatureOptions, TrainingOptions
from terrarium.kge.options import EvaluationOptions as RankingOptions

if TYPE_CHECKING:
    from terrarium.influence.validation.retraining import Retrainer
    from terrarium.kge.data.graph import Graph

logger = logging.getLogger(__name__)


def score_datamodels(
    triples: pd.DataFrame,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    checkpoints: Path,
    training: TrainingOptions,
    features: FeatureOptions,
    evaluation: EvaluationOptions,
    ranking: RankingOptions,
) -> pd.DataFrame:
    """Linear datamodelling scores of ways to attribute, by seed."""
    from terrarium.influence.validation.studies import chosen_tests, datamodelling

    retrainer = _retrainer(graph_of(triples, entities, relations), checkpoints, training, evaluation, ranking)
    tests = chosen_tests(retrainer.graph, training.split, training.tested, features.seed)
    return datamodelling(retrainer, tests, training, features, evaluation)


def delete_triples(
    triples: pd.DataFrame,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    checkpoints: Path,
    training: TrainingOptions,
    features: FeatureOptions,
    evaluation: EvaluationOptions,
    ranking: RankingOptions,
) -> pd.DataFrame:
    """What tests lose when proponents are removed, beside other removals."""
    from terrarium.influence.validation.studies import chosen_tests, deletion

    retrainer = _retrainer(graph_of(triples, entities, relations), checkpoints, training, evaluation, ranking)
    tests = chosen_tests(retrainer.graph, training.split, training.deletion_tested, features.seed)
    return deletion(retrainer, tests, training, features, evaluation)


def find_wrong_triples(
    triples: pd.DataFrame,
    entities: pd.DataFrame,
    relations: pd.DataFrame,
    checkpoints: Path,
    training: TrainingOptions,
    features: FeatureOptions,
    evaluation: EvaluationOptions,
    ranking: RankingOptions,
) -> pd.DataFrame:
    """How well planted wrong triples are found by self-influence."""
    from terrarium.influence.validation.studies import planted

    retrainer = _retrainer(graph_of(triples, entities, relations), checkpoints, training, evaluation, ranking)
    return planted(retrainer, training, features, evaluation)


def summarise(datamodels: pd.DataFrame, deletions: pd.DataFrame, wrong: pd.DataFrame) -> dict[str, float]:
    """Means over seeds, by names such as lds_share and deletion_influence_10."""
    found = {f"lds_{_plain(str(name))}": part["lds"].mean() for name, part in datamodels.groupby("method", sort=False)}
    for (name, count), part in deletions.groupby(["method", "removed"], sort=False):
        found[f"deletion_{_plain(str(name))}_{count}"] = part["drop"].mean()
    for name, part in wrong.groupby("method", sort=False):
        found |= {f"wrong_{_plain(str(name))}_{key}": part[key].mean() for key in ("precision", "auc")}
    return {name: float(value) for name, value in found.items()}


def draw_validation(datamodels: pd.DataFrame, deletions: pd.DataFrame) -> tuple[Any, Any]:
    """Datamodelling scores by method, and what removals cost."""
    from terrarium.influence.validation.figures import datamodel_figure, deletion_figure

    return datamodel_figure(datamodels), deletion_figure(deletions)


def write_validation(
    datamodels: pd.DataFrame,
    deletions: pd.DataFrame,
    wrong: pd.DataFrame,
    figure_datamodels: Any,
    figure_deletions: Any,
) -> str:
    """The page of the validation."""
    from terrarium.influence.validation.figures import validation_page

    return validation_page(datamodels, deletions, wrong, figure_datamodels, figure_deletions)


def _plain(name: str) -> str:
    kept = "".join(letter if letter.isalnum() else " " for letter in name.replace("'s", ""))
    return "_".join(kept.lower().split())


def _retrainer(
    graph: Graph,
    checkpoints: Path,
    options: TrainingOptions,
    evaluation: EvaluationOptions,
    ranking: RankingOptions,
) -> Retrainer:
    """The training of the checkpoints on the device of this family's evaluation."""
    from terrarium.influence.data.checkpoints import Training, read_best
    from terrarium.influence.validation.retraining import Retrainer
    from terrarium.influence.validation.studies import require_enough

    require_enough(graph, options)
    epoch, held = read_best(checkpoints, graph)
    device = {"device": evaluation.device}
    training = Training(held.model, held.training.model_copy(update=device))
    epochs = options.epochs or epoch
    logger.info("Retrainings of %d epochs, %s of dimension %d", epochs, training.model.name, training.model.dim)
    return Retrainer(graph, training, ranking.model_copy(update=device), epochs)
