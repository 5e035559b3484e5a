"""Choose the weight of the N3 penalty for a graph: by a rule, or by trial trainings that start from the rule."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import NamedTuple

import pandas as pd

from terrarium.kge.data.ancestors import uses_ancestors
from terrarium.kge.data.graph import VALIDATION, Graph
from terrarium.kge.options import PLAIN_DIM, EvaluationOptions, ModelOptions, TrainingOptions
from terrarium.kge.training.collapse import is_collapsed
from terrarium.kge.training.defaults import default_n3_weight, fill_dim, fill_training, scores_per_epoch
from terrarium.kge.training.trainer import ScorerTrainer
from terrarium.training.stopping import EarlyStopping, StoppingState

logger = logging.getLogger(__name__)

EXPECTED_EPOCHS, EXPECTED_TRIALS = 50, 3
"""What a search costs at least: the start value and both neighbours, each trained for so many epochs."""
COLUMNS = ["n3_weight", "origin", "metric", "value", "best_epoch", "epochs", "collapsed", "chosen"]


class Trial(NamedTuple):
    """A trial training: the best value of the watched metric, its epoch, all epochs, scores computed, collapse."""

    value: float
    best_epoch: int
    epochs: int
    scores: float
    collapsed: bool


def search_n3_weight(
    graph: Graph, model: ModelOptions, training: TrainingOptions, evaluation: EvaluationOptions
) -> pd.DataFrame:
    """Return the weights of the N3 penalty that were considered, and which one is chosen.

    A given weight is taken as it is. Otherwise the start value is `default_n3_weight`. Where `training.search` affords
    it, the start and its neighbours on a geometric grid are trained until the patience of each is used up, and the
    search walks on in the direction that improves the watched metric, until it does not or until the next training may
    exceed the budget. A trial is never cut short, since the best weights learn slowly. Its dimension is at most 200,
    since a weight that is good there is good in larger ones. The result depends on the graph, the options and the seeds
    alone.

    Args:
        graph: the graph.
        model, training, evaluation: options of the training.

    Returns:
        One row per weight in the order of the search: n3_weight, origin (given, rule or search), metric, value (the
        best of the metric; NaN without a trial), best_epoch, epochs, collapsed, chosen (true for one row).
    """
    model, training = _limit_dim(fill_dim(graph, model)), fill_training(graph, training)
    metric = training.stopping.metric
    given = training.loss.n3_weight
    start = default_n3_weight(graph) if given is None else given
    budget = _Budget(training.search.max_scores, graph, model, training, evaluation)
    if given is not None or not is_searchable(graph, model, training) or not budget.affords(EXPECTED_TRIALS):
        origin = "rule" if given is None else "given"
        logger.info("N3 weight %.4g (%s); not searched", start, "1 / mean degree" if given is None else "given")
        return pd.DataFrame([(start, origin, metric, math.nan, 0, 0, False, True)], columns=COLUMNS)
    trials = climb(start, training.search.factor, budget.train)
    chosen = choose_best(trials)
    logger.info("N3 weight %.4g: %s %.4f, best of %d", chosen, metric, trials[chosen].value, len(trials))
    rows = [
        (weight, "search", metric, t.value, t.best_epoch, t.epochs, t.collapsed, weight == chosen)
        for weight, t in trials.items()
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _limit_dim(model: ModelOptions) -> ModelOptions:
    """Return the options of the trials; the image of a ConvE vector has the size that it has."""
    return model if model.name == "conve" else model.model_copy(update={"dim": min(model.dimension, PLAIN_DIM)})


def is_searchable(graph: Graph, model: ModelOptions, training: TrainingOptions) -> bool:
    """Return whether trial trainings can be compared: on validation triples, over more than no epoch.

    Embeddings that are sums do not need it: the penalty is of own vectors, and hardly changes what relatives share.
    """
    if uses_ancestors(graph, model):
        return False
    return training.max_epochs > 0 and training.stopping.metric != "loss" and len(graph.splits[VALIDATION]) > 0


def climb(start: float, factor: float, train: Callable[[float], Trial | None]) -> dict[float, Trial]:
    """Return the trials of a walk from `start` along start * factor^k towards better values.

    Args:
        start: first weight.
        factor: ratio of neighbouring weights.
        train: gives the trial of a weight, or None where the budget is used up, which ends the search.

    Returns:
        The trials by weight, in the order in which they were made.
    """
    trials: dict[int, Trial] = {}

    def value(step: int) -> float | None:
        if step not in trials:
            trial = train(start * factor**step)
            if trial is None:
                return None
            trials[step] = trial
        return trials[step].value

    here, best = 0, value(0)
    for direction in (-1, 1):
        while best is not None and (found := value(here + direction)) is not None and found > best:
            here, best = here + direction, found
        if here:
            break
    return {start * factor**step: trial for step, trial in trials.items()}


def choose_best(trials: dict[float, Trial]) -> float:
    """Return the weight with the highest value that did not collapse; the first one if all did."""
    good = {weight: trial for weight, trial in trials.items() if not trial.collapsed} or trials
    return max(good, key=lambda weight: good[weight].value)


class _Budget:
    """Trial trainings, and how many entity scores they may still compute."""

    def __init__(
        self,
        max_scores: float,
        graph: Graph,
        model: ModelOptions,
        training: TrainingOptions,
        evaluation: EvaluationOptions,
    ) -> None:
        self._left, self._given = max_scores, (graph, model, training, evaluation)
        self._training = training
        self._per_epoch = scores_per_epoch(graph, training, len(ScorerTrainer.make_queries(graph, model, training)))
        self._expected = min(EXPECTED_EPOCHS, training.max_epochs) * self._per_epoch

    def affords(self, trials: int) -> bool:
        """Return whether so many trials of the expected length fit."""
        return trials * self._expected <= self._left

    def train(self, weight: float) -> Trial | None:
        """Train with a weight until the patience is used up; None if a trial does not fit any more."""
        if not self.affords(1):
            return None
        graph, model, training, evaluation = self._given
        trainer = ScorerTrainer(graph, model, training.with_n3_weight(weight), evaluation)
        stopping, early = StoppingState(), _early_stopping(training)
        epoch, entropy = 0, math.nan
        while epoch < training.max_epochs and not early.should_stop(stopping):
            epoch += 1
            numbers = trainer.epoch(epoch)
            stopping = early.update(stopping, epoch, numbers[training.stopping.metric])
            if stopping.best_epoch == epoch:
                entropy = numbers["prediction_entropy"]
        scores = float(epoch * self._per_epoch)
        self._left -= scores
        best = -math.inf if stopping.best is None else stopping.best
        trial = Trial(best, stopping.best_epoch, epoch, scores, is_collapsed(entropy))
        logger.info(
            "Trial: N3 weight %.4g gives %s %.4f in epoch %d of %d",
            weight,
            training.stopping.metric,
            trial.value,
            trial.best_epoch,
            epoch,
        )
        return trial


def _early_stopping(training: TrainingOptions) -> EarlyStopping:
    options = training.stopping
    return EarlyStopping(options.patience, options.min_delta, options.direction)
