"""Known holes: delete an archetype from one half of the simulated scenes and look for it from the other half.

A detector scores every graph of the asking half, once for each archetype that is deleted and once with nothing deleted;
the larger the score, the less the other half has of it. No detector is told what was deleted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from terrarium.scenes.graphs.archetypes import NAMES

Detector = Callable[["Halving"], np.ndarray]
"""Scores of the asking graphs for each deletion, nothing deleted last (a, c + 1); NaN where there is none."""
MEASURES = ("graphs", "recall", "auc", "label_free_recall", "label_free_false_alarms")
COLUMNS = ("detector", "representation", "archetype", *MEASURES)


@dataclass(frozen=True, eq=False)
class Halving:
    """Simulated graphs whose scenes are halved.

    Attributes:
        asking: which graphs are of the half that nothing is deleted from (g).
        labels: archetypes (g, c).
        scene: number of each graph's scene (g).
        names: of the archetypes.
    """

    asking: np.ndarray
    labels: np.ndarray
    scene: np.ndarray
    names: tuple[str, ...] = NAMES

    @property
    def kept(self) -> np.ndarray:
        """What each deletion leaves of the other half; the last deletes nothing (g, c + 1)."""
        deleted = np.column_stack([self.labels, np.zeros(len(self.labels), bool)])
        return np.asarray(~self.asking[:, None] & ~deleted)


def halvings(
    labels: np.ndarray, scene: np.ndarray, count: int, smallest: int, rng: np.random.Generator
) -> list[Halving]:
    """Random halvings of the scenes, with the archetypes of `NAMES` that so many graphs have."""
    asked = labels.sum(axis=0) >= smallest
    scenes, names = np.unique(scene), tuple(np.array(NAMES)[asked].tolist())
    halves = [rng.permutation(scenes)[: len(scenes) // 2] for _ in range(count)]
    return [Halving(np.isin(scene, half), labels[:, asked], scene, names) for half in halves]


def known_holes(
    detectors: dict[tuple[str, str], Detector], splits: list[Halving], false_alarms: float, smallest: int
) -> pd.DataFrame:
    """What each detector finds of each archetype, mean over the halvings in which the archetype can be asked for.

    `recall` is at the score that a share `false_alarms` of the asking graphs without the archetype exceeds, which takes
    labels to know; `label_free_recall` at the score that this share of all asking graphs exceeds when nothing is
    deleted, with the share of graphs without the archetype that exceed it after the deletion.

    Args:
        detectors: by name and representation.
        splits: of the simulated scenes.
        false_alarms: share of graphs.
        smallest: graphs with and without the archetype that the asking half needs, and the other half without.

    Returns:
        COLUMNS; a row a detector and archetype.
    """
    rows = [
        {"detector": name, "representation": representation, **row}
        for split in splits
        for (name, representation), detector in detectors.items()
        for row in _found(detector(split), split, false_alarms, smallest)
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    means = (
        table.astype(dict.fromkeys(MEASURES, float))
        .groupby(list(COLUMNS[:3]), sort=False, as_index=False)[list(MEASURES)]
        .mean()
    )
    return means.sort_values(["detector", "representation", "recall"], ascending=[True, True, False], ignore_index=True)


def _found(scores: np.ndarray, split: Halving, false_alarms: float, smallest: int) -> list[dict[str, float | str]]:
    from sklearn.metrics import roc_auc_score

    labels = split.labels[split.asking]
    rows: list[dict[str, float | str]] = []
    for number, name in enumerate(split.names):
        positive, score = labels[:, number], scores[:, number]
        enough = min(positive.sum(), (~positive).sum(), split.kept[:, number].sum()) >= smallest
        if not enough or np.isnan(score).any() or np.isnan(scores[:, -1]).any():
            continue
        threshold = np.quantile(score[~positive], 1.0 - false_alarms)
        without_labels = np.quantile(scores[:, -1], 1.0 - false_alarms)
        rows.append(
            {
                "archetype": name,
                "graphs": float(positive.sum()),
                "recall": float((score[positive] > threshold).mean()),
                "auc": float(roc_auc_score(positive, score)),
                "label_free_recall": float((score[positive] > without_labels).mean()),
                "label_free_false_alarms": float((score[~positive] > without_labels).mean()),
            }
        )
    return rows
