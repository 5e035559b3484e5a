"""How much can be read from vectors: probes, nearest neighbours, retrieval, and the geometry of the vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from terrarium.common.vectors import normalize_rows
from terrarium.scenes.evaluation.logistic import fit_logistic, log_odds
from terrarium.scenes.evaluation.matrices import Matrix, standardize, to_dense

_SHORTEST = 1e-12
"""Vectors shorter than this are not normalized to length 1."""


class SplitRows(NamedTuple):
    """Rows of graphs: probes fit on `train`, choose their strength on `validation` and measure on `test`."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


@dataclass(frozen=True, eq=False)
class ProbeResult:
    """What a linear probe reads.

    Attributes:
        f1: F1 of each label on the test rows, shape (labels,).
        C: inverse regularization strength that the validation rows chose.
        validation_f1: macro F1 on the validation rows.
    """

    f1: np.ndarray
    C: float
    validation_f1: float


def linear_probe(vectors: Matrix, labels: np.ndarray, rows: SplitRows, strengths: list[float]) -> ProbeResult:
    """Fit logistic regressions on standardized vectors, with the C of the best macro F1 on the validation rows.

    Args:
        vectors: shape (graphs, d), dense or sparse.
        labels: bool, shape (graphs, labels).
        rows: of the three splits.
        strengths: values of C to choose from.
    """
    train, validation, test = (part.astype(np.float32) for part in standardize(*(vectors[part] for part in rows)))
    best_score, best_C, best_coefficients = -1.0, 0.0, np.zeros(0)
    for C in sorted(strengths):
        coefficients = fit_logistic(train, labels[rows.train], C)
        score = float(f1_scores(labels[rows.validation], log_odds(validation, coefficients) > 0.0).mean())
        if score > best_score:
            best_score, best_C, best_coefficients = score, C, coefficients
    f1 = f1_scores(labels[rows.test], log_odds(test, best_coefficients) > 0.0)
    return ProbeResult(f1, C=best_C, validation_f1=best_score)


def f1_scores(labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return the F1 of each label, 0 where there are no true positives; both arguments are bool (rows, labels)."""
    from sklearn.metrics import f1_score

    pairs = zip(labels.T.astype(int), predicted.T.astype(int), strict=True)
    return np.array([f1_score(true, positive, zero_division=0.0) for true, positive in pairs])


def knn_f1(train: Matrix, train_labels: np.ndarray, test: Matrix, test_labels: np.ndarray, k: int) -> np.ndarray:
    """Classify test vectors by a majority vote of the k nearest training vectors, by cosine.

    Args:
        train, test: vectors, shape (rows, d).
        train_labels, test_labels: bool, shape (rows, labels).
        k: number of neighbours.

    Returns:
        F1 of each label, shape (labels,).
    """
    from sklearn.neighbors import NearestNeighbors
    from sklearn.preprocessing import normalize

    index = NearestNeighbors(n_neighbors=min(k, train.shape[0])).fit(normalize(train))
    neighbors = index.kneighbors(normalize(test), return_distance=False)
    return f1_scores(test_labels, train_labels[neighbors].mean(axis=1) > 0.5)


def retrieval_map(vectors: Matrix, label: np.ndarray, scene: np.ndarray, queries: np.ndarray) -> float:
    """Return the mean average precision of retrieving graphs with the query's label from other scenes, by cosine.

    Args:
        vectors: shape (graphs, d).
        label, scene: numbers, shape (graphs,).
        queries: rows of graphs; those without a relevant graph in another scene are left out.

    Returns:
        NaN if no query is left.
    """
    from sklearn.preprocessing import normalize

    unit = normalize(vectors)
    similarity = to_dense(unit @ unit[queries].T)
    precisions = []
    for column, query in enumerate(queries):
        others = scene != scene[query]
        is_relevant = (label == label[query])[others]
        if is_relevant.any():
            hits = is_relevant[np.argsort(-similarity[others, column], kind="stable")]
            precisions.append(float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean()))
    return float(np.mean(precisions)) if precisions else float("nan")


def ridge_r2(train: Matrix, train_target: np.ndarray, test: Matrix, test_target: np.ndarray) -> float:
    """Return R² on the test vectors of a ridge regression (alpha 1) on standardized vectors.

    Args:
        train, test: vectors, shape (rows, d).
        train_target, test_target: numbers to predict, shape (rows,).
    """
    from sklearn.linear_model import Ridge
    from sklearn.metrics import r2_score

    x, y = standardize(train, test)
    return float(r2_score(test_target, Ridge(alpha=1.0).fit(x, train_target).predict(y)))


def alignment(a: np.ndarray, b: np.ndarray) -> float:
    """Return the mean squared distance of row i of `a` and of `b` at length 1 (Wang and Isola 2020)."""
    return float(np.square(normalize_rows(a, _SHORTEST) - normalize_rows(b, _SHORTEST)).sum(axis=1).mean())


def uniformity(vectors: np.ndarray) -> float:
    """Return log mean exp(-2 |x - y|²) over all pairs of vectors at length 1 (Wang and Isola 2020)."""
    unit = normalize_rows(vectors, _SHORTEST)
    squared = np.maximum(2.0 - 2.0 * unit @ unit.T, 0.0)
    upper = squared[np.triu_indices(len(unit), 1)]
    return float(np.log(np.exp(-2.0 * upper).mean()))


def effective_rank(vectors: np.ndarray) -> float:
    """Return exp of the entropy of the normalized singular values of the centred vectors (Roy and Vetterli 2007)."""
    values = np.linalg.svd(vectors - vectors.mean(axis=0), compute_uv=False)
    share = values[values > 0.0] / values.sum()
    return float(np.exp(-(share * np.log(share)).sum()))


def cross_view_top_1(first: np.ndarray, second: np.ndarray) -> float:
    """Return the fraction of rows of `first` whose nearest row of `second`, by cosine, is the one of the same graph."""
    similarity = normalize_rows(first, _SHORTEST) @ normalize_rows(second, _SHORTEST).T
    return float((similarity.argmax(axis=1) == np.arange(len(first))).mean())
