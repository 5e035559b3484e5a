"""How much of what is asked for can be read from vectors: probes, neighbours, retrieval, and the vectors' shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from terrarium.scenes.evaluation.logistic import Matrix, dense, fit_logistic, log_odds, scaled

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Rows to fit on, to choose by, and to measure on."""


def standardised(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both with the mean and deviation of the first taken out."""
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    scale = np.where(deviation > 1e-9, deviation, 1.0)
    return (train - mean) / scale, (test - mean) / scale


@dataclass(frozen=True, eq=False)
class Probed:
    """What a linear probe reads: F1 of each label on the test rows (c), and the strength that validation chose."""

    f1: np.ndarray
    strength: float
    validation_f1: float


def probe(vectors: Matrix, labels: np.ndarray, rows: Rows, strengths: list[float]) -> Probed:
    """Logistic regressions on the training rows, of the strength with the best macro F1 on the validation rows.

    Args:
        vectors: of all graphs (g, d); columns are brought to one scale.
        labels: of all graphs (g, c).
        rows: to fit on, to choose by, and to measure on.
        strengths: inverses of the penalty to choose from.
    """
    train, validation, test = (part.astype(np.float32) for part in scaled(*(vectors[part] for part in rows)))
    best = (-1.0, 0.0, np.zeros(0))
    for strength in sorted(strengths):
        weights = fit_logistic(train, labels[rows[0]], strength)
        score = float(f1_scores(labels[rows[1]], log_odds(validation, weights) > 0.0).mean())
        if score > best[0]:
            best = (score, strength, weights)
    found = f1_scores(labels[rows[2]], log_odds(test, best[2]) > 0.0)
    return Probed(found, strength=best[1], validation_f1=best[0])


def f1_scores(labels: np.ndarray, found: np.ndarray) -> np.ndarray:
    """F1 of each label, 0 where nothing is right (c)."""
    right = (labels & found).sum(axis=0)
    return np.asarray(2.0 * right / np.maximum(labels.sum(axis=0) + found.sum(axis=0), 1))


def neighbour_f1(train: Matrix, train_labels: np.ndarray, test: Matrix, test_labels: np.ndarray, k: int) -> np.ndarray:
    """F1 of the majority of the k nearest training vectors, by cosine, for each label (c)."""
    from sklearn.neighbors import NearestNeighbors
    from sklearn.preprocessing import normalize

    near = NearestNeighbors(n_neighbors=min(k, train.shape[0])).fit(normalize(train))
    found = near.kneighbors(normalize(test), return_distance=False)
    return f1_scores(test_labels, train_labels[found].mean(axis=1) > 0.5)


def retrieval_map(vectors: Matrix, label: np.ndarray, scene: np.ndarray, queries: np.ndarray) -> float:
    """Mean average precision of finding graphs of the same label by cosine, those of the query's scene left out.

    Queries without any right answer in other scenes are left out.
    """
    from sklearn.preprocessing import normalize

    unit = normalize(vectors)
    table = dense(unit @ unit[queries].T)
    found = []
    for place, query in enumerate(queries):
        others = scene != scene[query]
        right = (label == label[query])[others]
        if right.any():
            hits = right[np.argsort(-table[others, place], kind="stable")]
            found.append(float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean()))
    return float(np.mean(found)) if found else float("nan")


def ridge_r2(train: Matrix, wanted: np.ndarray, test: Matrix, test_wanted: np.ndarray) -> float:
    """Share of variance that a ridge regression on standardised vectors explains on the test vectors."""
    from sklearn.linear_model import Ridge
    from sklearn.metrics import r2_score

    x, y = scaled(train, test)
    return float(r2_score(test_wanted, Ridge(alpha=1.0).fit(x, wanted).predict(y)))


def alignment(a: np.ndarray, b: np.ndarray) -> float:
    """Mean squared distance of partners at length 1 (Wang and Isola 2020)."""
    return float(np.square(_unit(a) - _unit(b)).sum(axis=1).mean())


def uniformity(vectors: np.ndarray) -> float:
    """Log of the mean of exp(-2 |x - y|²) over pairs at length 1 (Wang and Isola 2020)."""
    unit = _unit(vectors)
    squared = np.maximum(2.0 - 2.0 * unit @ unit.T, 0.0)
    upper = squared[np.triu_indices(len(unit), 1)]
    return float(np.log(np.exp(-2.0 * upper).mean()))


def effective_rank(vectors: np.ndarray) -> float:
    """exp of the entropy of the singular values' shares (Roy and Vetterli 2007), of centred vectors."""
    values = np.linalg.svd(vectors - vectors.mean(axis=0), compute_uv=False)
    share = values[values > 0.0] / values.sum()
    return float(np.exp(-(share * np.log(share)).sum()))


def cross_view_top_1(first: np.ndarray, second: np.ndarray) -> float:
    """Share of first views whose nearest second view, by cosine, is their own; the gallery is all of them."""
    return float(((_unit(first) @ _unit(second).T).argmax(axis=1) == np.arange(len(first))).mean())


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
