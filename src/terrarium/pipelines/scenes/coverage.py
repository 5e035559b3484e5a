"""What one set of scenes lacks that another has, in the full space of the embedding.

A point of the recorded set is scored by the log ratio of two distances: to its k-th neighbour in the simulated set,
and to its k-th neighbour in the recorded set outside its own scene. Up to a factor (the dimension), it is the log
ratio of two k-nearest-neighbour density estimates (Loftsgaarden and Quesenberry 1965), larger where simulation is thin.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from terrarium.pipelines.scenes.archetypes import NAMES
from terrarium.pipelines.scenes.options import CoverageOptions, EvaluationOptions
from terrarium.pipelines.scenes.probes import standardised
from terrarium.training.seeding import generator

_TINY, FOLDS = 1e-6, 5
ALL = "all graphs"


class OneSourceError(ValueError):
    """Coverage was asked for with scenes of one source."""


def report(
    embeddings: pd.DataFrame, archetypes: pd.DataFrame, evaluation: EvaluationOptions
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, dict[str, float]]:
    """Recorded graphs by their gap score; archetypes by theirs, with p-values; known holes; and the numbers.

    Raises:
        OneSourceError: when one of the two sources has no graph.
    """
    options = evaluation.coverage
    sources = embeddings["source"].to_numpy()
    for name in (options.simulated, options.recorded):
        if not (sources == name).any():
            raise OneSourceError(f"no graph is of the source {name!r}: coverage needs two (scenes.evaluation.coverage)")
    columns = [column for column in embeddings.columns if column.startswith("x") and column[1:].isdigit()]
    train = np.flatnonzero(embeddings["part"] == "train")
    vectors = comparable(embeddings[columns].to_numpy(np.float64), train)
    scene = pd.factorize(embeddings["source"] + "/" + embeddings["scene"])[0]
    labels, k = archetypes.to_numpy(bool), options.neighbours
    simulated, recorded = sources == options.simulated, sources == options.recorded
    score = gap_scores(vectors[recorded], scene[recorded], vectors[simulated], vectors[recorded], scene[recorded], k)
    names = embeddings.loc[recorded, ["graph_id", "scene", "time_s"]]
    present = [" ".join(np.array(NAMES)[row]) for row in labels[recorded]]
    ranked = names.assign(row=np.flatnonzero(recorded), score=score, archetypes=present)
    by_archetype = _by_archetype(vectors, labels, scene, simulated, recorded, evaluation)
    rng = generator(evaluation.seed, "holes")
    holes = known_holes(
        *(vectors[simulated], labels[simulated], scene[simulated], options, evaluation.smallest_class), rng
    )
    whole = by_archetype[by_archetype["archetype"] == ALL].iloc[0]
    metrics = {
        "coverage": coverage_share(vectors[recorded], scene[recorded], vectors[simulated], k),
        "mean_gap": float(whole["mean_gap"]),
        "mean_gap_p": float(whole["p"]),
        "known_hole_recall": float(holes["recall"].mean()),
        "known_hole_auc": float(holes["auc"].mean()),
        "known_hole_neighbour_recall": float(holes["neighbour_recall"].mean()),
        "known_holes": float(len(holes)),
    }
    return ranked.sort_values("score", ascending=False, ignore_index=True), by_archetype, holes, metrics


def _by_archetype(
    vectors: np.ndarray,
    labels: np.ndarray,
    scene: np.ndarray,
    simulated: np.ndarray,
    recorded: np.ndarray,
    evaluation: EvaluationOptions,
) -> pd.DataFrame:
    """Shares in both sources, mean gap and p-value of each archetype, and of all graphs together."""
    options = evaluation.coverage
    rows = []
    for number, name in enumerate((ALL, *NAMES)):
        has = np.ones(len(vectors), bool) if name == ALL else labels[:, number - 1]
        there, here = has & simulated, has & recorded
        row = {
            "archetype": name,
            "simulated_share": float(there.sum() / simulated.sum()),
            "recorded_share": float(here.sum() / recorded.sum()),
            "mean_gap": float("nan"),
            "p": float("nan"),
        }
        if min(there.sum(), here.sum()) >= max(evaluation.smallest_class, options.neighbours):
            rng = generator(evaluation.seed, "permutation", name)
            chosen = rng.permutation(np.flatnonzero(there | here))[: options.permuted_graphs]
            found = permutation_p(
                *(vectors[chosen], scene[chosen], recorded[chosen], options.neighbours, options.permutations), rng
            )
            row["mean_gap"], row["p"] = found
        rows.append(row)
    return pd.DataFrame(rows).sort_values("mean_gap", ascending=False, ignore_index=True)


def gap_scores(
    queries: np.ndarray,
    query_scene: np.ndarray,
    simulated: np.ndarray,
    recorded: np.ndarray,
    recorded_scene: np.ndarray,
    k: int,
) -> np.ndarray:
    """log(distance to the k-th simulated neighbour / to the k-th recorded neighbour of another scene) (q)."""
    there = _kth(queries, simulated, k)
    here = _kth(queries, recorded, k, query_scene, recorded_scene)
    return np.log(there + _TINY) - np.log(here + _TINY)


def coverage_share(recorded: np.ndarray, scene: np.ndarray, simulated: np.ndarray, k: int) -> float:
    """Share of recorded points with a simulated one within the distance of their k-th recorded neighbour.

    Neighbours are of other scenes (after Naeem et al. 2020, who call it coverage).
    """
    return float((_kth(recorded, simulated, 1) <= _kth(recorded, recorded, k, scene, scene)).mean())


def permutation_p(
    vectors: np.ndarray, scene: np.ndarray, recorded: np.ndarray, k: int, rounds: int, rng: np.random.Generator
) -> tuple[float, float]:
    """The mean gap score of the recorded points, and the share of shuffles of whole scenes that reach it.

    Args:
        vectors: of both sources (g, d).
        scene: number of each (g).
        recorded: which are recorded (g).
        k: of the neighbours.
        rounds: shuffles; 0 gives NaN as p.
        rng: draws them.
    """
    distances = _distances(vectors, vectors)
    distances[scene[:, None] == scene[None, :]] = np.inf
    observed = _mean_gap(distances, recorded, k)
    names, place = np.unique(scene, return_inverse=True)
    of_scene = np.zeros(len(names), bool)
    of_scene[place] = recorded
    reached = sum(_mean_gap(distances, rng.permutation(of_scene)[place], k) >= observed for _ in range(rounds))
    return observed, (1 + reached) / (1 + rounds) if rounds else float("nan")


def classifier_scores(vectors: np.ndarray, scene: np.ndarray, recorded: np.ndarray, strength: float) -> np.ndarray:
    """Log odds of being recorded by a logistic regression that has not seen the point's scene (g).

    With both classes weighted alike they estimate the log density ratio (Sugiyama, Suzuki and Kanamori 2012).

    Args:
        vectors: of both sets (g, d), columns of like scale.
        scene: number of each (g).
        recorded: which belong to the set that is asked about (g).
        strength: inverse of the penalty on the squared weights.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold

    score = np.zeros(len(vectors))
    for seen, asked in GroupKFold(min(FOLDS, len(np.unique(scene)))).split(vectors, recorded, scene):
        if recorded[seen].all() or not recorded[seen].any():
            continue
        model = LogisticRegression(C=strength, max_iter=200, class_weight="balanced")
        score[asked] = model.fit(vectors[seen], recorded[seen]).decision_function(vectors[asked])
    return score


def known_holes(
    vectors: np.ndarray,
    labels: np.ndarray,
    scene: np.ndarray,
    options: CoverageOptions,
    smallest: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Delete an archetype from one half of the simulated scenes and look for it from the other half.

    The threshold is the score that a share `false_alarms` of the graphs without the archetype exceeds. Scores are the
    classifier's, and beside it that of nearest neighbours.

    Args:
        vectors: of the simulated graphs (g, d).
        labels: archetypes of each (g, c).
        scene: number of each (g).
        options: neighbours, share of false alarms, and the classifier's strength.
        smallest: graphs with the archetype that the asking half needs.
        rng: halves the scenes.

    Returns:
        archetype, graphs, recall and auc of the classifier, neighbour_recall and neighbour_auc; a row an archetype.
    """
    scenes = rng.permutation(np.unique(scene))
    asking = np.isin(scene, scenes[: len(scenes) // 2])
    asked, asked_scene, k = vectors[asking], scene[asking], options.neighbours
    rows = []
    for number, name in enumerate(NAMES):
        positive = labels[asking, number]
        kept = ~asking & ~labels[:, number]
        if positive.sum() < smallest or (~positive).sum() < smallest or kept.sum() <= k:
            continue
        there = asking | kept
        score = classifier_scores(vectors[there], scene[there], asking[there], options.strength)[asking[there]]
        near = gap_scores(asked, asked_scene, vectors[kept], asked, asked_scene, k)
        found = {"recall": score, "neighbour_recall": near}
        row: dict[str, Any] = {"archetype": name, "graphs": int(positive.sum())}
        for measure, values in found.items():
            row[measure], row[measure.replace("recall", "auc")] = _found(values, positive, options.false_alarms)
        rows.append(row)
    return pd.DataFrame(rows, columns=["archetype", "graphs", "recall", "auc", "neighbour_recall", "neighbour_auc"])


def _found(score: np.ndarray, positive: np.ndarray, false_alarms: float) -> tuple[float, float]:
    """Recall at a share of false alarms, and AUC."""
    from sklearn.metrics import roc_auc_score

    threshold = np.quantile(score[~positive], 1.0 - false_alarms)
    return float((score[positive] > threshold).mean()), float(roc_auc_score(positive, score))


def comparable(vectors: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Vectors with each column scaled by the training rows, so that none rules the distances."""
    return standardised(vectors[train], vectors)[1]


def _mean_gap(distances: np.ndarray, recorded: np.ndarray, k: int) -> float:
    k = min(k, int(recorded.sum()), int((~recorded).sum())) - 1
    if k < 0:
        return float("-inf")
    rows = distances[recorded]
    there, here = (np.partition(rows[:, columns], k, axis=1)[:, k] for columns in (~recorded, recorded))
    finite = np.isfinite(there) & np.isfinite(here)
    gaps = np.log(there[finite] + _TINY) - np.log(here[finite] + _TINY)
    return float(gaps.mean()) if len(gaps) else float("-inf")


def _kth(
    queries: np.ndarray,
    points: np.ndarray,
    k: int,
    query_scene: np.ndarray | None = None,
    scene: np.ndarray | None = None,
) -> np.ndarray:
    """Distance to the k-th nearest point, those of the query's own scene left out if scenes are given."""
    found = np.empty(len(queries))
    for start in range(0, len(queries), 1024):
        part = slice(start, start + 1024)
        distances = _distances(queries[part], points)
        if query_scene is not None and scene is not None:
            distances[query_scene[part, None] == scene[None, :]] = np.inf
        k_here = min(k, distances.shape[1]) - 1
        found[part] = np.partition(distances, k_here, axis=1)[:, k_here]
    return found


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2.0 * a @ b.T
    return np.sqrt(np.maximum(squared, 0.0))
