"""A comparison of two sets of graphs, and the interface of all detectors of what one has and the other lacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True, eq=False)
class Comparison:
    """Graphs whose scenes are a query and a reference: recorded and simulated ones, or two halves of one source.

    Attributes:
        is_query: which graphs are in the query, bool (graphs,); the others are the reference.
        labels: what the deletion test deletes from the reference, bool (graphs, deletions); may have no columns.
        scene: number of each graph's scene (graphs,).
        names: of the labels.
    """

    is_query: np.ndarray
    labels: np.ndarray
    scene: np.ndarray
    names: tuple[str, ...] = ()

    @property
    def remaining(self) -> np.ndarray:
        """What each deletion leaves of the reference, the last one everything, bool (graphs, deletions + 1)."""
        is_deleted = np.column_stack([self.labels, np.zeros(len(self.labels), bool)])
        return np.asarray(~self.is_query[:, None] & ~is_deleted)

    @property
    def num_scenes(self) -> tuple[int, int]:
        """Number of scenes of the query and of the reference."""
        query, reference = (len(np.unique(self.scene[side])) for side in (self.is_query, ~self.is_query))
        return query, reference

    @property
    def without_deletions(self) -> Comparison:
        """The same comparison without labels."""
        return Comparison(self.is_query, np.zeros((len(self.scene), 0), bool), self.scene)

    def permuted(self, rng: np.random.Generator) -> Comparison:
        """Return the same graphs with whole scenes permuted between query and reference."""
        names, place = np.unique(self.scene, return_inverse=True)
        of_scene = np.zeros(len(names), bool)
        of_scene[place] = self.is_query
        return Comparison(rng.permutation(of_scene)[place], self.labels, self.scene, self.names)


class Detector(Protocol):
    """Scores the query graphs; the larger a score, the less the reference has of the graph."""

    def __call__(self, comparison: Comparison) -> np.ndarray:
        """Return scores (query graphs, deletions + 1), one column per deletion, NaN where there is no score."""
        ...
