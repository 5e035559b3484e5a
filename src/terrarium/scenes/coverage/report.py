"""What the simulated scenes lack of the recorded ones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from terrarium.scenes.coverage.combination import Combination
from terrarium.scenes.coverage.comparison import Comparison, Detector
from terrarium.scenes.coverage.deletion_test import random_splits, run_deletion_test
from terrarium.scenes.coverage.detectors import PatternNovelty
from terrarium.scenes.coverage.permutation_test import GapStatistics, gap_statistics, p_values
from terrarium.scenes.coverage.representations import (
    COMBINATION,
    COMBINED,
    COUNTS,
    EMBEDDING,
    NEIGHBORS,
    PATTERNS,
    ROAD_USERS,
    Space,
    make_detectors,
    make_node_detectors,
    make_space,
)
from terrarium.scenes.coverage.situations import compare_patterns, group_situations, has_enough_scenes
from terrarium.scenes.criticality.tables import WORST
from terrarium.scenes.evaluation.evaluate import EXPORTED, TRAINED
from terrarium.scenes.evaluation.neighbors import TooFewNeighborsError, nearest_neighbors
from terrarium.scenes.graphs.columns import Graphs
from terrarium.scenes.options import EvaluationOptions
from terrarium.training.checkpointing.state import State
from terrarium.training.torch.seeding import generator

ALL_GRAPHS = "all graphs"
MAX_NEIGHBORS = 256
"""Neighbours stored for each graph; farther ones are searched when they are needed."""
_DETECTORS = {
    "combination": (COMBINATION, COMBINED),
    "patterns": (PATTERNS, PATTERNS),
    "road_users": (ROAD_USERS, COUNTS),
    "embedding": (EMBEDDING, EXPORTED),
    "neighbors": (NEIGHBORS, EXPORTED),
}
"""Value of the option `detector` -> detector and representation."""


class Annotations(NamedTuple):
    """What is known of each graph, one row per graph each.

    Attributes:
        archetypes, tags: bool; see `label_graphs`.
        criticality: the columns of `criticality.tables.WORST`.
    """

    archetypes: pd.DataFrame
    tags: pd.DataFrame
    criticality: pd.DataFrame


class CoverageReport(NamedTuple):
    """What the simulation lacks.

    Attributes:
        graphs: recorded graphs, the largest score first: graph_id, scene, time_s, row, score, p, is_gap, situation,
            archetypes and tags (space separated), and the measures of criticality.
        situations: gaps in groups; see `group_situations`.
        archetypes: archetype (or tag), simulated_fraction, recorded_fraction, difference_p, mean_gap, gap_p; one row
            each and one for all graphs.
        deletion_test: see `run_deletion_test`.
        metrics: all numbers by name; those that cannot be measured with so few scenes are left out.
    """

    graphs: pd.DataFrame
    situations: pd.DataFrame
    archetypes: pd.DataFrame
    deletion_test: pd.DataFrame
    metrics: dict[str, float]


def measure_coverage(
    graphs: Graphs, embeddings: pd.DataFrame, annotations: Annotations, weights: State, evaluation: EvaluationOptions
) -> CoverageReport:
    """Rank recorded graphs by what the simulation lacks, group them into situations, and run the deletion test.

    Args:
        graphs: all graphs.
        embeddings: their table, with the columns graph_id, scene, time_s, source, split, x0, x1, ...
        annotations: archetypes, tags and criticality of the graphs.
        weights: of the encoder.
        evaluation: options.

    Raises:
        OneSourceError: one of the two sources has no graph.
    """
    labels = pd.concat([annotations.archetypes, annotations.tags], axis=1)
    space = make_space(graphs, embeddings, labels, weights, evaluation)
    ranked, situations = rank_gaps(space, embeddings, annotations, evaluation)
    by_archetype, metrics = measure_gaps(space, evaluation)
    options, simulated = evaluation.coverage, ~space.sources.is_query
    splits = random_splits(
        annotations.archetypes.iloc[space.rows[simulated]].reset_index(drop=True),
        space.sources.scene[simulated],
        options.num_random_splits,
        evaluation.min_positives,
        generator(evaluation.seed, "holes"),
    )
    train = np.flatnonzero(embeddings["split"] == "train")
    detectors = make_detectors(space, simulated, evaluation)
    detectors |= make_node_detectors(space, simulated, graphs, weights, train, evaluation)
    deletion_test = run_deletion_test(
        detectors, splits, options.target_fpr, options.alarm_fraction, evaluation.min_positives
    )
    return CoverageReport(ranked, situations, by_archetype, deletion_test, metrics | deletion_metrics(deletion_test))


def rank_gaps(
    space: Space, embeddings: pd.DataFrame, annotations: Annotations, evaluation: EvaluationOptions
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score the recorded graphs with the chosen detector and group those above its threshold.

    The threshold is the score that a fraction `alarm_fraction` of the graphs exceeds when whole scenes are permuted
    between the sources; `p` is the fraction of the graphs that then have as large a score, NaN with too few scenes.

    Args:
        space: from `make_space`.
        embeddings: columns graph_id, scene and time_s, one row per graph.
        annotations: archetypes, tags and criticality of all graphs.
        evaluation: options.

    Returns:
        Tables as in `CoverageReport.graphs` and `.situations`.
    """
    options, sources = evaluation.coverage, space.sources.without_deletions
    everything = np.ones(len(sources.scene), bool)
    detector = make_detectors(space, everything, evaluation)[_DETECTORS[options.detector]]
    score = detector(sources)[:, -1]
    null = null_scores(detector, sources, evaluation.seed)
    p = np.full(len(score), np.nan)
    is_gap = score >= np.quantile(score, 1 - options.alarm_fraction)
    if has_enough_scenes(sources) and len(null):
        ordered = np.sort(null)
        p = (1 + len(null) - np.searchsorted(ordered, score, side="left")) / (len(null) + 1)
        is_gap = score > np.quantile(null, 1 - options.alarm_fraction)
    reasons = PatternNovelty(space.patterns.table).explain(sources)
    rows = space.rows[sources.is_query]
    tagged = annotations.tags.to_numpy(bool)[rows].any(axis=1)
    tested = compare_patterns(sources, space.patterns)
    situations = group_situations(
        tested,
        space.patterns,
        pd.DataFrame({"pattern": reasons, "row": rows, "score": score, "tagged": tagged})[is_gap],
    )
    names = situations.set_index("pattern")["situation"]
    table = embeddings.iloc[rows][["graph_id", "scene", "time_s"]].assign(row=rows, score=score, p=p, is_gap=is_gap)
    table["situation"] = pd.Series(reasons, index=table.index).map(names).where(is_gap, "").fillna("").astype("str")
    for column, labels in (("archetypes", annotations.archetypes), ("tags", annotations.tags)):
        known = np.array(labels.columns, dtype=object)
        table[column] = [" ".join(known[row]) for row in labels.to_numpy(bool)[rows]]
    table = pd.concat([table, annotations.criticality.iloc[rows][list(WORST)]], axis=1)
    return table.sort_values("score", ascending=False, kind="stable", ignore_index=True), situations


def null_scores(detector: Detector, sources: Comparison, seed: int) -> np.ndarray:
    """Return the scores that the graphs get when whole scenes are permuted between the sources, without NaN (k,)."""
    if isinstance(detector, Combination):
        scores = detector.null_scores(sources)
    else:
        scores = detector(sources.permuted(generator(seed, "threshold")))[:, -1]
    return np.asarray(scores[~np.isnan(scores)], np.float64)


def measure_gaps(space: Space, evaluation: EvaluationOptions) -> tuple[pd.DataFrame, dict[str, float]]:
    """Measure how much is covered in every representation, and the gaps of the archetypes in the embedding.

    Args:
        space: from `make_space`.
        evaluation: seed, number of neighbours and of permutations.

    Returns:
        A table as in `CoverageReport.archetypes`, and numbers by name. Without enough scenes for a p-value, or for the
        neighbours, there are only the fractions of the graphs.
    """
    sources, k = space.sources, evaluation.coverage.num_neighbors
    unknown = np.full(len(sources.names), np.nan)
    undefined = GapStatistics(np.nan, np.nan, unknown, unknown)
    recorded, simulated = sources.num_scenes
    metrics = {"recorded_scenes": float(recorded), "simulated_scenes": float(simulated)}
    table = _rank_archetypes(sources, undefined, undefined, evaluation.min_positives)
    if not has_enough_scenes(sources):
        return table, metrics
    for name, vectors in space.vectors.items():
        neighbors = nearest_neighbors(vectors, sources.scene, MAX_NEIGHBORS)
        try:
            observed = gap_statistics(neighbors, sources, k, generator(evaluation.seed, "thinning"))
        except TooFewNeighborsError:
            return table, metrics
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
            table = _rank_archetypes(sources, observed, p, evaluation.min_positives)
    return table, metrics


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
        is_only = row.representation in (EXPORTED, TRAINED, PATTERNS) or row.detector == COMBINATION
        parts += [] if is_only else [row.representation]
        suffix = "".join(f"_{_key(str(part))}" for part in parts)
        metrics |= {f"deletion_{measure}{suffix}": float(getattr(row, measure)) for measure in measures}
    return metrics


def _rank_archetypes(
    sources: Comparison, observed: GapStatistics, p: GapStatistics, min_positives: int
) -> pd.DataFrame:
    """Return the archetypes, the least likely difference first, after a row for all graphs."""
    recorded, simulated = sources.labels[sources.is_query], sources.labels[~sources.is_query]
    table = pd.DataFrame(
        {
            "archetype": list(sources.names),
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
