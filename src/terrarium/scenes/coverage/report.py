"""What the simulated scenes lack of the recorded ones, in the full space of the embedding and of the baselines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from terrarium.common.vectors import coordinates
from terrarium.scenes.coverage.deletion_test import Detector, random_splits, run_deletion_test
from terrarium.scenes.coverage.detectors import (
    GraphClassifier,
    NeighborDistance,
    NodeClassifier,
    PatternNovelty,
    pattern_table,
)
from terrarium.scenes.coverage.permutation_test import GapStatistics, Sources, gap_scores, gap_statistics, p_values
from terrarium.scenes.evaluation.baselines import wl_vectors
from terrarium.scenes.evaluation.evaluate import (
    EXPORTED,
    KERNEL,
    RANDOM,
    STATISTICS,
    TRAINED,
    standardized_statistics,
    untrained_weights,
)
from terrarium.scenes.evaluation.matrices import standardize, to_dense
from terrarium.scenes.evaluation.neighbors import nearest_neighbors
from terrarium.scenes.graphs.columns import Graphs, scene_numbers
from terrarium.scenes.models.embedding import embed_graphs, embed_nodes
from terrarium.scenes.options import EvaluationOptions
from terrarium.training.checkpointing.state import State
from terrarium.training.torch.seeding import generator

ALL_GRAPHS = "all graphs"
EMBEDDING, ROAD_USERS, PATTERNS, NEIGHBORS = "embedding", "road users", "patterns", "neighbours"
MAX_NEIGHBORS = 256
"""Neighbours stored for each graph; a gap beyond them is at least what is reported."""


class OneSourceError(ValueError):
    """Coverage needs scenes of two sources."""


class CoverageReport(NamedTuple):
    """What the simulation lacks.

    Attributes:
        graphs: recorded graphs by gap: graph_id, scene, time_s, row, score (the gap), archetypes (space separated).
        archetypes: archetype, simulated_fraction, recorded_fraction, difference_p, mean_gap, gap_p; one row per
            archetype and one for all graphs.
        deletion_test: see `run_deletion_test`.
        metrics: all numbers by name.
    """

    graphs: pd.DataFrame
    archetypes: pd.DataFrame
    deletion_test: pd.DataFrame
    metrics: dict[str, float]


@dataclass(frozen=True, eq=False)
class Space:
    """The graphs of the two sources in several representations.

    Attributes:
        rows: rows of the graphs in the table of all graphs (graphs,).
        vectors: of each representation, float64 (graphs, d).
        sources: which graphs are recorded, their scenes and archetypes.
        names: of the archetypes.
    """

    rows: np.ndarray
    vectors: dict[str, np.ndarray]
    sources: Sources
    names: tuple[str, ...]


def measure_coverage(
    graphs: Graphs, embeddings: pd.DataFrame, labels: pd.DataFrame, weights: State, evaluation: EvaluationOptions
) -> CoverageReport:
    """Measure gaps and run the deletion test.

    Args:
        graphs: all graphs.
        embeddings: their table, with the columns graph_id, scene, time_s, source, split, x0, x1, ...
        labels: their archetypes; see `label_graphs`.
        weights: of the encoder.
        evaluation: options.

    Raises:
        OneSourceError: one of the two sources has no graph.
    """
    space = make_space(graphs, embeddings, labels, weights, evaluation)
    ranked, by_archetype, metrics = measure_gaps(space, embeddings, evaluation)
    options, simulated = evaluation.coverage, ~space.sources.is_recorded
    splits = random_splits(
        pd.DataFrame(space.sources.labels[simulated], columns=list(space.names)),
        space.sources.scene[simulated],
        options.num_random_splits,
        evaluation.min_positives,
        generator(evaluation.seed, "holes"),
    )
    detectors = make_detectors(space, graphs, weights, embeddings, evaluation)
    deletion_test = run_deletion_test(detectors, splits, options.target_fpr, evaluation.min_positives)
    return CoverageReport(ranked, by_archetype, deletion_test, metrics | deletion_metrics(deletion_test))


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
    return Space(
        rows=rows,
        vectors={name: matrix[rows] for name, matrix in vectors.items()},
        sources=Sources(
            is_recorded=source[rows] == options.recorded,
            scene=scene_numbers(embeddings)[rows],
            labels=labels.to_numpy(bool)[rows],
        ),
        names=tuple(map(str, labels)),
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


def measure_gaps(
    space: Space, embeddings: pd.DataFrame, evaluation: EvaluationOptions
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, float]]:
    """Rank recorded graphs and archetypes by their gaps in the embedding, and measure every representation.

    Args:
        space: from `make_space`.
        embeddings: columns scene, source, split, x0, x1, ..., one row per graph.
        evaluation: seed, number of neighbours and of permutations.

    Returns:
        Tables as in `CoverageReport.graphs` and `.archetypes`, and numbers by name.
    """
    sources, k = space.sources, evaluation.coverage.num_neighbors
    metrics: dict[str, float] = {}
    tables = []
    for name, vectors in space.vectors.items():
        neighbors = nearest_neighbors(vectors, sources.scene, MAX_NEIGHBORS)
        observed = gap_statistics(neighbors, sources, k, generator(evaluation.seed, "thinning"))
        rng = generator(evaluation.seed, "permutation")
        p = p_values(neighbors, sources, observed, k, evaluation.coverage.num_permutations, rng)
        suffix = "" if name == EXPORTED else f"_{_key(name)}"
        metrics |= {
            f"coverage{suffix}": observed.coverage,
            f"coverage_p{suffix}": p.coverage,
            f"mean_gap{suffix}": observed.mean_gap,
            f"mean_gap_p{suffix}": p.mean_gap,
        }
        if name == EXPORTED:
            scores = gap_scores(neighbors, sources.is_recorded, k, generator(evaluation.seed, "thinning"))
            tables = [
                _rank_graphs(space, embeddings, scores.gap),
                _rank_archetypes(space, observed, p, evaluation.min_positives),
            ]
    return tables[0], tables[1], metrics


def make_detectors(
    space: Space, graphs: Graphs, weights: State, embeddings: pd.DataFrame, evaluation: EvaluationOptions
) -> dict[tuple[str, str], Detector]:
    """Return the detectors of the simulated graphs by detector and representation.

    Args:
        space: from `make_space`.
        graphs: all graphs.
        weights: of the trained encoder.
        embeddings: columns scene, source, split, x0, x1, ..., one row per graph.
        evaluation: seed, C of the classifiers and number of neighbours.
    """
    options, is_simulated = evaluation.coverage, ~space.sources.is_recorded
    rows = space.rows[is_simulated]
    nodes, graph = graphs.node_rows(rows), np.repeat(np.arange(len(rows)), graphs.nodes[rows])
    random = untrained_weights(weights, graphs, np.flatnonzero(embeddings["split"] == "train"), evaluation, 0)
    detectors: dict[tuple[str, str], Detector] = {
        (EMBEDDING, name): GraphClassifier(vectors[is_simulated], options.C) for name, vectors in space.vectors.items()
    }
    for name, state in ((TRAINED, weights), (RANDOM, random)):
        detectors[ROAD_USERS, name] = NodeClassifier(embed_nodes(state, graphs)[nodes], graph, options.node_C)
    detectors[PATTERNS, PATTERNS] = PatternNovelty(sparse.csr_array(pattern_table(graphs))[rows])
    detectors[NEIGHBORS, EXPORTED] = NeighborDistance(space.vectors[EXPORTED][is_simulated], options.num_neighbors)
    return detectors


def deletion_metrics(deletion_test: pd.DataFrame) -> dict[str, float]:
    """Average the measures of each detector and representation over the archetypes; count the archetypes.

    Args:
        deletion_test: columns detector, representation, archetype, recall, auc and label_free_recall.

    Returns:
        deletion_archetypes (their number), and the means by names such as deletion_recall and deletion_auc_neighbours.
    """
    if deletion_test.empty:
        return {"deletion_archetypes": 0.0}
    measures = ["recall", "auc", "label_free_recall"]
    means = deletion_test.groupby(["detector", "representation"], as_index=False)[measures].mean()
    metrics = {"deletion_archetypes": float(deletion_test["archetype"].nunique())}
    for row in means.itertuples(index=False):
        parts = [] if (row.detector, row.representation) == (EMBEDDING, EXPORTED) else [row.detector]
        parts += [] if row.representation in (EXPORTED, TRAINED, PATTERNS) else [row.representation]
        suffix = "".join(f"_{_key(str(part))}" for part in parts)
        metrics |= {f"deletion_{measure}{suffix}": float(getattr(row, measure)) for measure in measures}
    return metrics


def _rank_graphs(space: Space, embeddings: pd.DataFrame, gap: np.ndarray) -> pd.DataFrame:
    """Return the recorded graphs, the largest gap first."""
    is_recorded = space.sources.is_recorded
    rows = space.rows[is_recorded]
    archetypes = [" ".join(np.array(space.names)[row]) for row in space.sources.labels[is_recorded]]
    table = embeddings.iloc[rows][["graph_id", "scene", "time_s"]].assign(row=rows, score=gap, archetypes=archetypes)
    return table.sort_values("score", ascending=False, ignore_index=True)


def _rank_archetypes(space: Space, observed: GapStatistics, p: GapStatistics, min_positives: int) -> pd.DataFrame:
    """Return the archetypes, the least likely difference first, after a row for all graphs."""
    sources = space.sources
    recorded, simulated = sources.labels[sources.is_recorded], sources.labels[~sources.is_recorded]
    table = pd.DataFrame(
        {
            "archetype": list(space.names),
            "simulated_fraction": simulated.mean(axis=0),
            "recorded_fraction": recorded.mean(axis=0),
            "difference_p": p.differences,
            "mean_gap": observed.archetype_gaps,
            "gap_p": p.archetype_gaps,
        }
    )
    table.loc[recorded.sum(axis=0) < min_positives, ["difference_p", "mean_gap", "gap_p"]] = np.nan
    order = table.assign(least=table["simulated_fraction"] - table["recorded_fraction"])
    table = table.loc[order.sort_values(["difference_p", "least"]).index]
    whole = {
        "archetype": ALL_GRAPHS,
        "simulated_fraction": 1.0,
        "recorded_fraction": 1.0,
        "mean_gap": observed.mean_gap,
        "gap_p": p.mean_gap,
    }
    return pd.concat([pd.DataFrame([whole]), table], ignore_index=True)[list(table.columns)]


def _key(name: str) -> str:
    return name.replace(" ", "_").lower()
