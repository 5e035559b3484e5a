"""Deletion test: delete an archetype from one half of the simulated scenes and search for it from the other half.

A detector scores every graph of the query half, once for each deleted archetype and once with nothing deleted; the
larger the score, the less the reference half has of it. No detector knows what was deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from terrarium.scenes.coverage.comparison import Comparison, Detector

MEASURES = ("graphs", "recall", "auc", "label_free_recall", "label_free_fpr")
COLUMNS = ("detector", "representation", "archetype", *MEASURES)


def random_splits(
    labels: pd.DataFrame, scene: np.ndarray, count: int, min_positives: int, rng: np.random.Generator
) -> list[Comparison]:
    """Split the scenes at random into halves, several times.

    Args:
        labels: archetypes, bool, one row per graph.
        scene: number of each graph's scene (graphs,).
        count: number of splits.
        min_positives: keep only archetypes with at least this many graphs.
        rng: generator.
    """
    kept = labels.loc[:, labels.sum(axis=0) >= min_positives]
    scenes, names = np.unique(scene), tuple(map(str, kept))
    halves = [rng.permutation(scenes)[: len(scenes) // 2] for _ in range(count)]
    return [Comparison(np.isin(scene, half), kept.to_numpy(bool), scene, names) for half in halves]


def run_deletion_test(
    detectors: Mapping[tuple[str, str], Detector],
    splits: Sequence[Comparison],
    target_fpr: float,
    alarm_fraction: float,
    min_positives: int,
) -> pd.DataFrame:
    """Measure what each detector finds of each archetype.

    `recall` is at the score that a fraction `target_fpr` of the query graphs without the archetype exceeds, which needs
    labels to know. `label_free_recall` is at the score that `alarm_fraction` of all query graphs exceed when nothing is
    deleted; `label_free_fpr` is the fraction of graphs without the archetype that exceed it after the deletion.

    Args:
        detectors: by name and representation.
        splits: of the simulated scenes.
        target_fpr: false positive rate of `recall`.
        alarm_fraction: of the query graphs above the label-free threshold when nothing is deleted.
        min_positives: graphs with and without the archetype that the query half needs, and graphs that must remain in
            the reference half; other splits do not count for the archetype.

    Returns:
        One row per detector and archetype with the columns `COLUMNS`, means over the splits.
    """
    rows = [
        {"detector": name, "representation": representation, **row}
        for split in splits
        for (name, representation), detector in detectors.items()
        for row in _measure(detector(split), split, target_fpr, alarm_fraction, min_positives)
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(MEASURES, float))
    means = table.groupby(list(COLUMNS[:3]), sort=False, as_index=False)[list(MEASURES)].mean()
    return means.sort_values(["detector", "representation", "recall"], ascending=[True, True, False], ignore_index=True)


def _measure(
    scores: np.ndarray, split: Comparison, target_fpr: float, alarm_fraction: float, min_positives: int
) -> list[dict[str, float | str]]:
    from sklearn.metrics import roc_auc_score

    labels = split.labels[split.is_query]
    without_deletion = scores[:, -1]
    rows: list[dict[str, float | str]] = []
    for column, name in enumerate(split.names):
        positive, score = labels[:, column], scores[:, column]
        fewest = min(positive.sum(), (~positive).sum(), split.remaining[:, column].sum())
        if fewest < min_positives or np.isnan(score).any() or np.isnan(without_deletion).any():
            continue
        threshold = np.quantile(score[~positive], 1.0 - target_fpr)
        label_free_threshold = np.quantile(without_deletion, 1.0 - alarm_fraction)
        rows.append(
            {
                "archetype": name,
                "graphs": float(positive.sum()),
                "recall": float((score[positive] > threshold).mean()),
                "auc": float(roc_auc_score(positive, score)),
                "label_free_recall": float((score[positive] > label_free_threshold).mean()),
                "label_free_fpr": float((score[~positive] > label_free_threshold).mean()),
            }
        )
    return rows
