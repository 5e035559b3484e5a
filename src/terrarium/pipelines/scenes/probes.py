"""How much of what is asked for can be read from vectors: probes, neighbours, retrieval, and the vectors' shape."""

from __future__ import annotations

import numpy as np


def standardised(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both with the mean and deviation of the first taken out."""
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    scale = np.where(deviation > 1e-9, deviation, 1.0)
    return (train - mean) / scale, (test - mean) / scale


def probe_f1(train: np.ndarray, train_labels: np.ndarray, test: np.ndarray, test_labels: np.ndarray) -> np.ndarray:
    """F1 of a logistic regression for each label (c), on standardised vectors, at threshold 0.5."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score

    x, y = standardised(train, test)
    scores = []
    for label in range(train_labels.shape[1]):
        model = LogisticRegression(max_iter=300, C=1.0).fit(x, train_labels[:, label])
        scores.append(f1_score(test_labels[:, label], model.predict(y), zero_division=0.0))
    return np.array(scores)


def neighbour_f1(
    train: np.ndarray, train_labels: np.ndarray, test: np.ndarray, test_labels: np.ndarray, k: int
) -> np.ndarray:
    """F1 of the majority of the k nearest training vectors for each label (c), on vectors as they are."""
    from sklearn.metrics import f1_score
    from sklearn.neighbors import NearestNeighbors

    near = NearestNeighbors(n_neighbors=min(k, len(train))).fit(train).kneighbors(test, return_distance=False)
    votes = train_labels[near].mean(axis=1) > 0.5
    return np.array([f1_score(test_labels[:, c], votes[:, c], zero_division=0.0) for c in range(votes.shape[1])])


def retrieval_map(vectors: np.ndarray, label: np.ndarray, scene: np.ndarray, queries: np.ndarray) -> float:
    """Mean average precision of finding graphs of the same label by cosine, those of the query's scene left out.

    Queries without any right answer in other scenes are left out.
    """
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    found = []
    for query in queries:
        others = scene != scene[query]
        right = (label == label[query])[others]
        if right.any():
            order = np.argsort(-(unit[others] @ unit[query]), kind="stable")
            hits = right[order]
            found.append(float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean()))
    return float(np.mean(found)) if found else float("nan")


def ridge_r2(train: np.ndarray, wanted: np.ndarray, test: np.ndarray, test_wanted: np.ndarray) -> float:
    """Share of variance that a ridge regression on standardised vectors explains on the test vectors."""
    from sklearn.linear_model import Ridge
    from sklearn.metrics import r2_score

    x, y = standardised(train, test)
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
