"""Scene graphs with their vectors, and the questions that people ask of them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.common.names import NameIndex, UnknownNameError
from terrarium.common.vectors import coordinates, normalize_rows
from terrarium.scenes.labels.definitions import former_names, read_definitions

if TYPE_CHECKING:
    from terrarium.training.checkpointing.state import State

_SHOWN = ("graph_id", "scene", "time_s", "source")


class SceneEmbedding:
    """Graphs of traffic scenes and their vectors; similarity is the cosine.

    Args:
        embeddings: N rows with the columns graph_id, scene, time_s, source, x0, x1, ...
        tags: (N, T) table of booleans, one column a tag, in the same order.
        weights: of the encoder, for new recordings; or None.
    """

    def __init__(self, embeddings: pd.DataFrame, tags: pd.DataFrame, weights: State | None = None) -> None:
        self._embeddings, self._weights = embeddings.reset_index(drop=True), weights
        self.graphs = embeddings[list(_SHOWN)].reset_index(drop=True)
        self.tags = tags.reset_index(drop=True)
        self.vectors: Float64Array = np.ascontiguousarray(coordinates(embeddings), np.float64)
        self._ids = NameIndex({"graph": self.graphs["graph_id"]}, None, "graph")
        self._scenes = NameIndex({"scene": self.graphs["scene"].drop_duplicates()}, None, "scene")

    def __len__(self) -> int:
        return len(self.graphs)

    def __repr__(self) -> str:
        return f"SceneEmbedding({len(self):,} graphs, {self.vectors.shape[1]} dimensions)"

    def rows_of(self, item: str) -> Int64Array:
        """Return the rows of a scene's graphs, or of one graph. Raises UnknownNameError, with near matches."""
        found = np.flatnonzero((self.graphs["scene"] == item).to_numpy(bool))
        if not len(found):
            found = np.flatnonzero((self.graphs["graph_id"] == item).to_numpy(bool))
        return found if len(found) else np.array([self._scenes.row(item)])

    def similar(self, item: str, k: int = 10) -> pd.DataFrame:
        """Find the most similar other scenes.

        Args:
            item: a graph, or a scene, whose vector is the mean of its graphs' unit vectors.
            k: number of scenes.

        Returns:
            Columns graph_id, scene, time_s, source, cosine: the most similar graph of each of the k other scenes that
            come nearest.
        """
        own = self.rows_of(item)
        query = normalize_rows(self._unit[own].mean(axis=0, keepdims=True))[0]
        table = self.graphs.assign(cosine=self._unit @ query)
        table = table[~table["scene"].isin(self.graphs["scene"].iloc[own])]
        best = table.sort_values("cosine", ascending=False, kind="stable").drop_duplicates("scene")
        return best.head(k).reset_index(drop=True)

    def tag(self, item: str) -> pd.DataFrame:
        """Return the tags of a scene or graph: tag and the share of its graphs that have it, the commonest first."""
        share = self.tags.iloc[self.rows_of(item)].mean()
        share = share[share > 0].sort_values(ascending=False, kind="stable")
        return pd.DataFrame({"tag": share.index.astype(str), "share": share.to_numpy()})

    def with_tag(self, tag: str) -> pd.DataFrame:
        """Return the graphs that have a tag or archetype: columns graph_id, scene, time_s, source.

        Raises:
            UnknownNameError: there is no such tag; the message has the name that a renamed one has now, or near ones.
        """
        former = former_names(read_definitions(None, "archetypes"))
        if tag not in self.tags and former.get(tag) in self.tags:
            raise UnknownNameError(f"the tag {tag!r} is now called {former[tag]!r}")
        names = pd.Series(self.tags.columns.astype(str))
        chosen = self.tags.columns[NameIndex({"tag": names}, None, "tag").row(tag)]
        return self.graphs[self.tags[chosen].to_numpy(bool)].reset_index(drop=True)

    def embed(self, tracks: pd.DataFrame, lanes: pd.DataFrame) -> pd.DataFrame:
        """Embed a new recording with the trained encoder; nothing is trained.

        Args:
            tracks, lanes: tables of `terrarium.sources.traffic`, such as the catalog's `scenes.tracks` and `.lanes`.

        Returns:
            One row per graph: graph_id, scene, time_s, source, x0, x1, ...

        Raises:
            ValueError: there are no weights, or no scene has a graph.
        """
        from terrarium.scenes.use.new_scenes import embed_scenes

        if self._weights is None:
            raise ValueError("there is no encoder: embed with what terrarium.load returns")
        return embed_scenes(self._weights, tracks, lanes).embeddings

    def novelty(self, tracks: pd.DataFrame, lanes: pd.DataFrame, k: int = 5) -> pd.DataFrame:
        """Say how far the graphs of a new recording are from all known ones.

        Args:
            tracks, lanes: as for `embed`.
            k: the distance is that to the k-th nearest known graph.

        Returns:
            One row per new graph, the most novel first: graph_id, scene, time_s, distance, novelty_p (conformal
            p-value: small where few known graphs are as far from those of other scenes), nearest (the most similar
            known graph).
        """
        from terrarium.scenes.use.new_scenes import find_nearest, measure_novelty

        new = self.embed(tracks, lanes)
        nearest = find_nearest(new, self._embeddings, 1).set_index("graph_id")["nearest_graph"]
        table = measure_novelty(new, self._embeddings, k)
        return table.assign(nearest=table["graph_id"].map(nearest)).drop(columns="row")

    def clusters(self, count: int = 12, seed: int = 0) -> pd.DataFrame:
        """Group graphs by k-means on unit vectors.

        Args:
            count: number of clusters.
            seed: seed of the start.

        Returns:
            One row per cluster, the largest first: cluster, graphs, scenes, exemplar (the graph nearest to the centre)
            and tags (those that are most over-represented in it, by the difference of shares).
        """
        from sklearn.cluster import KMeans

        count = min(count, len(self))
        fitted = KMeans(count, n_init=4, random_state=seed).fit(self._unit)
        away = np.linalg.norm(self._unit - fitted.cluster_centers_[fitted.labels_], axis=1)
        rows = [self._cluster(np.flatnonzero(fitted.labels_ == label), away) for label in range(count)]
        table = pd.DataFrame(rows).sort_values("graphs", ascending=False, kind="stable").reset_index(drop=True)
        table.insert(0, "cluster", np.arange(count))
        return table

    def _cluster(self, rows: Int64Array, away: Float64Array) -> dict[str, object]:
        gain = (self.tags.iloc[rows].mean() - self.tags.mean()).sort_values(ascending=False, kind="stable")
        return {
            "graphs": len(rows),
            "scenes": self.graphs["scene"].iloc[rows].nunique(),
            "exemplar": self.graphs["graph_id"].iloc[rows[np.argmin(away[rows])]],
            "tags": ", ".join(str(tag) for tag in gain[gain > 0].index[:3]),
        }

    @cached_property
    def _unit(self) -> Float64Array:
        return normalize_rows(self.vectors)
