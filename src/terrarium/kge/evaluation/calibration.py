"""Calibrated probabilities: how often an answer with this score is right.

The score of an answer is compared with those of the other candidates: u = log softmax over them. The probability is
1 / (1 + exp(-(slope u + intercept))) (Platt 1999), fitted to validation triples. Candidates are the answers that the
relation has in training.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from terrarium.common.arrays import BoolArray, Float64Array
from terrarium.kge.data.graph import HEAD, LEFT_OUT, RELATION, TAIL, TEST, TRAIN, VALIDATION, Graph, Triples
from terrarium.kge.data.queries import KnownAnswers, group_by_query
from terrarium.kge.evaluation.ranking import score_batches
from terrarium.kge.models.scorer import Scorer
from terrarium.kge.options import EvaluationOptions
from terrarium.training.torch.seeding import generator

SIDES = {"head": HEAD, "tail": TAIL}
MAX_QUERIES = 1000
"""Queries of a split and side that are looked at; more are sampled."""
LOWEST, CELLS = -40.0, 4000
"""Log probabilities are counted in so many equal cells between this and 0."""
EDGES = np.array([0.0, 0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
"""Edges of the bins of probability."""
RELIABILITY = ["side", "bin", "answers", "predicted", "observed"]


class Platt(NamedTuple):
    """slope and intercept of the log odds."""

    slope: float
    intercept: float

    def probability(self, log_p: Float64Array) -> Float64Array:
        """Return probabilities of log softmax values, of any shape."""
        odds = np.clip(self.slope * log_p + self.intercept, -700, 700)
        return np.asarray(1 / (1 + np.exp(-odds)))


class Calibration(NamedTuple):
    """The log odds of predicted heads and of predicted tails."""

    head: Platt
    tail: Platt

    @staticmethod
    def from_metrics(metrics: Mapping[str, float]) -> Calibration:
        """Return the calibration of the catalog entry `knowledge_graph.calibration`."""
        head, tail = (Platt(metrics[f"{side}_slope"], metrics[f"{side}_intercept"]) for side in SIDES)
        return Calibration(head, tail)


def calibrate(graph: Graph, scorer: Scorer, evaluation: EvaluationOptions) -> tuple[dict[str, float], pd.DataFrame]:
    """Fit probabilities on validation triples and measure them on test triples.

    For validation, known answers are those of training; for test, those of training and validation.

    Args:
        graph: the graph.
        scorer: the trained model.
        evaluation: how to score.

    Returns:
        By side (head_, tail_): slope, intercept; on test queries expected_calibration_error (mean of |observed -
        predicted| over bins, weighted by their answers), brier (mean squared error), brier_of_base_rate (of the same
        probability for every candidate). Without validation triples, slope 1 and intercept 0. And the table of bins:
        side, bin (text), answers, predicted (mean probability), observed (fraction of right ones).
    """
    metrics: dict[str, float] = {}
    rows: list[dict[str, Any]] = []
    for name, side in SIDES.items():
        fitted = _fit(_count(graph, scorer, evaluation, VALIDATION, side))
        counts = _count(graph, scorer, evaluation, TEST, side)
        metrics |= {f"{name}_slope": fitted.slope, f"{name}_intercept": fitted.intercept}
        measured, bins = _measure(fitted, counts)
        metrics |= {f"{name}_{key}": value for key, value in measured.items()}
        rows += [{"side": name, **row} for row in bins]
    return metrics, pd.DataFrame(rows, columns=RELIABILITY)


def log_softmax_of_candidates(scores: torch.Tensor, candidates: BoolArray) -> Float64Array:
    """Return u (B, N): scores minus the logarithm of the summed exponentials of candidates.

    Candidates that are known answers count, too: where they take the mass, little is left for others.

    Args:
        scores: (B, N).
        candidates: (N,) or (B, N) what may be an answer.
    """
    values = scores.double().cpu()
    mask = torch.from_numpy(np.broadcast_to(candidates, values.shape).copy())
    normalizer = torch.logsumexp(values.masked_fill(~mask, -torch.inf), 1, keepdim=True)
    return np.asarray((values - normalizer).clamp_max(0.0).numpy())


class _Counts(NamedTuple):
    """(CELLS,) numbers of right and of wrong candidates by log probability."""

    right: Float64Array
    wrong: Float64Array


_MIDDLES: Float64Array = np.asarray(LOWEST + (np.arange(CELLS) + 0.5) * (-LOWEST / CELLS), np.float64)


def _count(graph: Graph, scorer: Scorer, evaluation: EvaluationOptions, split: str, side: int) -> _Counts:
    """Count the candidates of a split's queries by their log probability."""
    counts = _Counts(np.zeros(CELLS), np.zeros(CELLS))
    for log_p, is_open, is_right in _answers(graph, scorer, evaluation, split, side):
        cells = np.clip(((log_p - LOWEST) * (CELLS / -LOWEST)).astype(np.int64), 0, CELLS - 1)
        counts.right[:] += np.bincount(cells[is_right], minlength=CELLS)
        counts.wrong[:] += np.bincount(cells[is_open & ~is_right], minlength=CELLS)
    return counts


def _answers(
    graph: Graph, scorer: Scorer, evaluation: EvaluationOptions, split: str, side: int
) -> Iterator[tuple[Float64Array, BoolArray, BoolArray]]:
    """Yield log probabilities (B, N), which candidates are not known, and which of them are right."""
    triples, earlier = graph.splits[split], [TRAIN, LEFT_OUT] + [VALIDATION] * (split == TEST)
    if not len(triples):
        return
    known = KnownAnswers(np.concatenate([graph.splits.get(name, triples[:0]) for name in earlier]), graph.num_relations)
    right = KnownAnswers(triples, graph.num_relations)
    inverse = graph.num_relations if side == HEAD else 0
    queries = _queries(triples, side, graph.num_relations)
    masks = candidate_masks(queries, graph, side)
    with torch.inference_mode():
        for rows, scores in score_batches(scorer, queries, side, evaluation):
            source, relation = queries[rows, TAIL - side], queries[rows, RELATION]
            allowed = np.stack([masks[number] for number in relation.tolist()])
            log_p = log_softmax_of_candidates(scores, allowed)
            allowed[known.lookup(source, relation + inverse)] = False
            is_right = np.zeros_like(allowed)
            is_right[right.lookup(source, relation + inverse)] = True
            yield log_p, allowed, is_right & allowed


def _queries(triples: Triples, side: int, num_relations: int) -> Triples:
    """Return a triple for each distinct query, at most MAX_QUERIES; its entity of the side has no meaning."""
    turned = triples if side == TAIL else triples[:, ::-1]
    index = group_by_query(turned, num_relations)
    chosen = np.arange(len(index))
    if len(index) > MAX_QUERIES:
        chosen = np.sort(generator(0, "calibration").permutation(len(index))[:MAX_QUERIES])
    entity, relation = index.entity[chosen], index.relation[chosen]
    return np.stack([entity, relation, entity], axis=1)


def candidate_masks(queries: Triples, graph: Graph, side: int) -> dict[int, BoolArray]:
    """Return, for each relation of the queries, which entities (N,) have that side of it in training; all if none."""
    train, masks = graph.splits[TRAIN], {}
    for relation in np.unique(queries[:, RELATION]).tolist():
        mask = np.zeros(graph.num_entities, bool)
        mask[train[train[:, RELATION] == relation, side]] = True
        masks[relation] = mask if mask.any() else ~mask
    return masks


def _fit(counts: _Counts) -> Platt:
    """Return the logistic regression of right candidates on log probability."""
    from sklearn.linear_model import LogisticRegression

    if not counts.right.sum() or not counts.wrong.sum():
        return Platt(1.0, 0.0)
    weight = np.concatenate(counts)
    label = np.repeat([1, 0], CELLS)
    used = weight > 0
    value = np.tile(_MIDDLES, 2)[used, None]
    model = LogisticRegression(C=np.inf, max_iter=1000).fit(value, label[used], sample_weight=weight[used])
    return Platt(float(model.coef_[0, 0]), float(model.intercept_[0]))


def _measure(fitted: Platt, counts: _Counts) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """Return expected calibration error, Brier scores, and the bins of probability."""
    total = counts.right + counts.wrong
    if not total.sum():
        return {}, []
    p = fitted.probability(_MIDDLES)
    place = np.clip(np.searchsorted(EDGES, p, side="right") - 1, 0, len(EDGES) - 2)
    size, right, mass = (np.bincount(place, w, len(EDGES) - 1) for w in (total, counts.right, total * p))
    filled = np.flatnonzero(size)
    error = np.abs(right[filled] - mass[filled]).sum() / size.sum()
    brier = (counts.right * (1 - p) ** 2 + counts.wrong * p**2).sum() / size.sum()
    base = counts.right.sum() / size.sum()
    rows = [
        {
            "bin": f"{EDGES[i]:g} to {EDGES[i + 1]:g}",
            "answers": int(size[i]),
            "predicted": mass[i] / size[i],
            "observed": right[i] / size[i],
        }
        for i in filled
    ]
    measured = {
        "expected_calibration_error": float(error),
        "brier": float(brier),
        "brier_of_base_rate": float(base * (1 - base)),
    }
    return measured, rows
