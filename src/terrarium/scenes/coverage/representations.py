"""The graphs of two sources as vectors and patterns, and the detectors that compare them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from terrarium.common.vectors import coordinates
from terrarium.scenes.coverage.combination import Combination
from terrarium.scenes.coverage.comparison import Comparison, Detector
from terrarium.scenes.coverage.detectors import GraphClassifier, NeighborDistance, NodeClassifier, PatternNovelty
from terrarium.scenes.coverage.patterns import PatternTable, find_patterns
from terrarium.scenes.coverage.road_users import count_surroundings
from terrarium.scenes.evaluation.baselines import wl_vectors
from terrarium.scenes.evaluation.evaluate import (
    EXPORTED,
    GRAPHLETS,
    KERNEL,
    RANDOM,
    STATISTICS,
    TRAINED,
    standardized_statistics,
    untrained_weights,
)
from terrarium.scenes.evaluation.matrices import standardize, to_dense
from terrarium.scenes.graphs.columns import Graphs, scene_numbers
from terrarium.scenes.models.embedding import embed_graphs, embed_nodes
from terrarium.scenes.models.graphlets import fit_counter
from terrarium.scenes.options import EvaluationOptions
from terrarium.training.checkpointing.state import State

EMBEDDING, ROAD_USERS, PATTERNS, NEIGHBORS = "embedding", "road users", "patterns", "neighbours"
COMBINATION, COUNTS = "combination", "counts"
COMBINED = f"{PATTERNS}, {ROAD_USERS}, {GRAPHLETS}"


class OneSourceError(ValueError):
    """Coverage needs scenes of two sources."""


@dataclass(frozen=True, eq=False)
class Space:
    """The graphs of the two sources in several representations.

    Attributes:
        rows: rows of the graphs in the table of all graphs (graphs,).
        vectors: of each representation, float64 (graphs, d).
        sources: recorded (query) and simulated (reference) graphs, their scenes and archetypes.
        patterns: of these graphs.
        counts: what is around each road user of these graphs, see `count_surroundings`, float32 (road users, d).
        graph: of each road user, numbered within these graphs (road users,).
        graphlets: counts in these graphs, which also are the vocabulary, see `GraphletCounter`, float32 (graphs, d).
    """

    rows: np.ndarray
    vectors: dict[str, np.ndarray]
    sources: Comparison
    patterns: PatternTable
    counts: np.ndarray
    graph: np.ndarray
    graphlets: np.ndarray


def make_space(
    graphs: Graphs, embeddings: pd.DataFrame, labels: pd.DataFrame, weights: State, evaluation: EvaluationOptions
) -> Space:
    """Represent the graphs of both sources; with `split: validation` the test scenes are left out.

    Args:
        graphs: all graphs.
        embeddings: columns scene, source, split, x0, x1, ..., one row per graph.
        labels: archetypes, bool, one row per graph; see `label_graphs`.
        weights: of the trained encoder.
        evaluation: names of the sources, and the split that is measured.
    """
    options = evaluation.coverage
    source, split = embeddings["source"].to_numpy(), embeddings["split"].to_numpy()
    names = [options.simulated, str(options.recorded)]
    is_used = np.isin(source, names)
    if evaluation.split == "validation":
        is_used &= split != "test"
    for name in names:
        if not (is_used & (source == name)).any():
            raise OneSourceError(f"no graph is of the source {name!r}: coverage needs two (scenes.evaluation.coverage)")
    train, rows = np.flatnonzero(split == "train"), np.flatnonzero(is_used)
    vectors = represent(graphs, embeddings, weights, train, evaluation)
    patterns = find_patterns(graphs)
    return Space(
        rows=rows,
        vectors={name: matrix[rows] for name, matrix in vectors.items()},
        sources=Comparison(
            is_query=source[rows] == options.recorded,
            scene=scene_numbers(embeddings)[rows],
            labels=labels.to_numpy(bool)[rows],
            names=tuple(map(str, labels)),
        ),
        patterns=PatternTable(sparse.csr_array(patterns.table[rows]), patterns.patterns),
        counts=count_surroundings(graphs)[graphs.node_rows(rows)],
        graph=np.repeat(np.arange(len(rows)), graphs.nodes[rows]),
        graphlets=fit_counter(graphs, rows).vectors(graphs)[rows],
    )


def represent(
    graphs: Graphs, embeddings: pd.DataFrame, weights: State, train: np.ndarray, evaluation: EvaluationOptions
) -> dict[str, np.ndarray]:
    """Return the vectors of all graphs: the embedding and three baselines, float64 (graphs, d) by name.

    Columns are standardized by the training graphs. The kernel has the fewest iterations, with rows of length 1.

    Args:
        graphs: all graphs.
        embeddings: columns scene, source, split, x0, x1, ..., one row per graph.
        weights: of the trained encoder.
        train: rows of the training graphs.
        evaluation: seed and iterations of the WL kernel.
    """
    from sklearn.preprocessing import normalize

    random = embed_graphs(untrained_weights(weights, graphs, train, evaluation, 0), graphs).astype(np.float64)
    return {
        EXPORTED: standardized_coordinates(embeddings),
        RANDOM: standardize(random[train], random)[1],
        STATISTICS: standardized_statistics(graphs, train),
        KERNEL: to_dense(normalize(wl_vectors(graphs, min(evaluation.wl_iterations), train))),
    }


def standardized_coordinates(embeddings: pd.DataFrame) -> np.ndarray:
    """Return the coordinates x0, x1, ... scaled by the training graphs, float64 (graphs, d).

    Args:
        embeddings: columns split, x0, x1, ..., one row per graph.
    """
    vectors = coordinates(embeddings).astype(np.float64)
    return np.asarray(standardize(vectors[(embeddings["split"] == "train").to_numpy()], vectors)[1])


def make_detectors(space: Space, chosen: np.ndarray, evaluation: EvaluationOptions) -> dict[tuple[str, str], Detector]:
    """Return the detectors of some graphs, by detector and representation.

    Args:
        space: from `make_space`.
        chosen: which of its graphs are compared, bool (graphs,).
        evaluation: seed, C of the classifiers and number of neighbours.
    """
    options = evaluation.coverage
    is_node = chosen[space.graph]
    graph = (np.cumsum(chosen) - 1)[space.graph[is_node]]

    patterns = PatternNovelty(sparse.csr_array(space.patterns.table[np.flatnonzero(chosen)]))
    road_users = NodeClassifier(space.counts[is_node], graph, options.node_C)
    graphlets = GraphClassifier(space.graphlets[chosen], options.C)
    detectors: dict[tuple[str, str], Detector] = {
        (COMBINATION, COMBINED): Combination((patterns, road_users, graphlets), evaluation.seed),
        (PATTERNS, PATTERNS): patterns,
        (ROAD_USERS, COUNTS): road_users,
        (NEIGHBORS, EXPORTED): NeighborDistance(space.vectors[EXPORTED][chosen], options.num_neighbors),
    }
    for name, vectors in space.vectors.items():
        detectors[EMBEDDING, name] = GraphClassifier(vectors[chosen], options.C)
    return detectors


def make_node_detectors(
    space: Space, chosen: np.ndarray, graphs: Graphs, weights: State, train: np.ndarray, evaluation: EvaluationOptions
) -> dict[tuple[str, str], Detector]:
    """Return the detectors of road users by the states of the trained and of an untrained encoder.

    Args:
        space, chosen: as for `make_detectors`.
        graphs: all graphs.
        weights: of the trained encoder.
        train: rows of the training graphs.
        evaluation: seed and C of the classifier.
    """
    is_node = chosen[space.graph]
    graph, nodes = (np.cumsum(chosen) - 1)[space.graph[is_node]], graphs.node_rows(space.rows[chosen])
    states = {TRAINED: weights, RANDOM: untrained_weights(weights, graphs, train, evaluation, 0)}
    return {
        (ROAD_USERS, name): NodeClassifier(embed_nodes(state, graphs)[nodes], graph, evaluation.coverage.node_C)
        for name, state in states.items()
    }
