"""New scenes among known ones: their embeddings by trained weights, their nearest graphs, and how novel they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from terrarium.common.arrays import Float64Array
from terrarium.common.vectors import coordinates, normalize_rows
from terrarium.scenes.evaluation.neighbors import CHUNK, distances, nearest_neighbors
from terrarium.scenes.graphs.building import build_graphs
from terrarium.scenes.graphs.columns import Graphs, scene_numbers
from terrarium.scenes.models.embedding import embed_graphs
from terrarium.scenes.options import GraphOptions
from terrarium.training.checkpointing.state import State

SHOWN = ("graph_id", "scene", "time_s", "source")


class TooFewGraphsError(ValueError):
    """Too few known graphs to search for neighbours."""


@dataclass(frozen=True, eq=False)
class NewScenes:
    """Graphs of new scenes with their vectors.

    Attributes:
        graphs: in columns.
        index: one row per graph; see `build_graphs`.
        embeddings: graph_id, scene, time_s, source, x0, x1, ..., one row per graph.
    """

    graphs: Graphs
    index: pd.DataFrame
    embeddings: pd.DataFrame


def embed_scenes(weights: State, tracks: pd.DataFrame, lanes: pd.DataFrame) -> NewScenes:
    """Build the graphs of new scenes as those of the training were built, and embed them.

    Args:
        weights: of a trained encoder, with its encoding and the options of its graphs.
        tracks, lanes: tables of `sources.traffic`.

    Raises:
        EmptyScenesError: no scene has a graph.
    """
    graphs, index = build_graphs(tracks, lanes, GraphOptions(**weights.metadata["graph_options"]))
    vectors = embed_graphs(weights, graphs)
    columns = pd.DataFrame(vectors, columns=[f"x{i}" for i in range(vectors.shape[1])])
    return NewScenes(graphs, index, pd.concat([index[list(SHOWN)], columns], axis=1))


def find_nearest(new: pd.DataFrame, known: pd.DataFrame, count: int) -> pd.DataFrame:
    """Find the known scenes that are nearest to each new graph, by the cosine.

    Args:
        new, known: embeddings: graph_id, scene, time_s, source, x0, x1, ...
        count: number of scenes.

    Returns:
        One row per new graph and scene: graph_id, scene, rank (from 1), and nearest_graph, nearest_scene,
        nearest_source and cosine of the most similar graph of that scene.
    """
    unit, scene = _unit(known), scene_numbers(known)
    order = np.argsort(scene, kind="stable")
    start = np.flatnonzero(np.diff(scene[order], prepend=-1))
    tables = []
    for first in range(0, len(new), CHUNK):
        part = new.iloc[first : first + CHUNK]
        cosine = (_unit(part) @ unit.T)[:, order]
        best = np.maximum.reduceat(cosine, start, axis=1)
        chosen = np.argsort(-best, axis=1, kind="stable")[:, :count]
        for number, (graph, own_scene) in enumerate(zip(part["graph_id"], part["scene"], strict=True)):
            ends = np.append(start, len(order))
            rows = [order[start[s] + int(cosine[number, start[s] : ends[s + 1]].argmax())] for s in chosen[number]]
            found = known.iloc[rows]
            tables.append(
                pd.DataFrame(
                    {
                        "graph_id": graph,
                        "scene": own_scene,
                        "rank": np.arange(1, len(rows) + 1),
                        "nearest_graph": found["graph_id"].to_numpy(),
                        "nearest_scene": found["scene"].to_numpy(),
                        "nearest_source": found["source"].to_numpy(),
                        "cosine": best[number, chosen[number]],
                    }
                )
            )
    return pd.concat(tables, ignore_index=True)


def measure_novelty(new: pd.DataFrame, known: pd.DataFrame, k: int) -> pd.DataFrame:
    """Compare how far new graphs are from the known ones with how far these are from those of other scenes.

    The distance of a graph is the Euclidean distance of unit vectors to the k-th nearest known graph. With d of the new
    graph and d_1, ..., d_n of the known graphs among other scenes, p = (1 + #{d_i >= d}) / (n + 1), the conformal
    p-value of the new graph being like the known ones (Vovk, Gammerman and Shafer 2005).

    Args:
        new, known: embeddings: graph_id, scene, time_s, source, x0, x1, ...
        k: from 1.

    Returns:
        One row per new graph, the most novel first: graph_id, scene, time_s, row (in `new`), distance, novelty_p.

    Raises:
        TooFewGraphsError: there are fewer than k graphs besides those of a scene.
    """
    unit, scene = _unit(known), scene_numbers(known)
    if len(known) - np.bincount(scene).max() < k:
        raise TooFewGraphsError(f"novelty needs {k} known graphs of other scenes: lower scenes.embed.num_neighbors")
    among_known = np.sort(nearest_neighbors(unit, scene, k).distance[:, k - 1])
    queries = _unit(new)
    chunks = [queries[first : first + CHUNK] for first in range(0, len(queries), CHUNK)]
    distance = np.concatenate([np.partition(distances(chunk, unit), k - 1, axis=1)[:, k - 1] for chunk in chunks])
    as_far = len(among_known) - np.searchsorted(among_known, distance.astype(np.float32), side="left")
    table = new[["graph_id", "scene", "time_s"]].assign(
        row=np.arange(len(new)), distance=distance, novelty_p=(1 + as_far) / (len(among_known) + 1)
    )
    return table.sort_values("distance", ascending=False, kind="stable", ignore_index=True)


def _unit(embeddings: pd.DataFrame) -> Float64Array:
    return normalize_rows(coordinates(embeddings).astype(np.float64))
