"""What one set of scenes lacks that another has, in the full space of the embedding, beside what needs no training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from terrarium.scenes.coverage import detectors
from terrarium.scenes.coverage.deletion_test import Detector, Halving, halvings, known_holes
from terrarium.scenes.coverage.permutation_test import Sources, Statistics, gap_scores, measured, p_values
from terrarium.scenes.evaluation.baselines import hand_statistics, wl_vectors
from terrarium.scenes.evaluation.evaluate import KERNEL, RANDOM, STATISTICS, TRAINED, untrained
from terrarium.scenes.evaluation.logistic import dense
from terrarium.scenes.evaluation.neighbours import nearest
from terrarium.scenes.evaluation.probes import standardised
from terrarium.scenes.graphs.archetypes import NAMES
from terrarium.scenes.graphs.columns import Graphs
from terrarium.scenes.models.embedding import embed_graphs, node_vectors
from terrarium.scenes.options import EvaluationOptions
from terrarium.training.checkpointing.state import State
from terrarium.training.torch.seeding import generator

ALL = "all graphs"
EMBEDDING, USERS, PATTERNS, NEIGHBOURS = "embedding", "road users", "patterns", "neighbours"
LISTED = 256
"""Neighbours that are kept of each graph; a gap beyond them is at least what is reported."""


class OneSourceError(ValueError):
    """Coverage was asked for with scenes of one source."""


@dataclass(frozen=True, eq=False)
class Space:
    """What is asked about: graphs of the two sources, by their rows in the whole table.

    Attributes:
        rows: of the graphs (g).
        vectors: of each representation (g, d).
        sources: which graphs are recorded, their scenes and archetypes.
    """

    rows: np.ndarray
    vectors: dict[str, np.ndarray]
    sources: Sources


def report(
    graphs: Graphs, embeddings: pd.DataFrame, archetypes: pd.DataFrame, weights: State, evaluation: EvaluationOptions
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, dict[str, float]]:
    """Recorded graphs by their gap score; archetypes by theirs, with p-values; known holes; and the numbers.

    Raises:
        OneSourceError: when one of the two sources has no graph.
    """
    space = make_space(graphs, embeddings, archetypes, weights, evaluation)
    ranked, by_archetype, numbers = gaps(space, embeddings, evaluation)
    holes = known_holes(
        all_detectors(space, graphs, weights, embeddings, evaluation),
        _halvings(space, evaluation),
        evaluation.coverage.target_fpr,
        evaluation.min_positives,
    )
    return ranked, by_archetype, holes, numbers | hole_numbers(holes)


def make_space(
    graphs: Graphs, embeddings: pd.DataFrame, archetypes: pd.DataFrame, weights: State, evaluation: EvaluationOptions
) -> Space:
    """Both sources' graphs in each representation; with `part: validation` those of the test scenes are left out."""
    options = evaluation.coverage
    source, part = embeddings["source"].to_numpy(), embeddings["split"].to_numpy()
    asked = np.isin(source, [options.simulated, options.recorded])
    if evaluation.split == "validation":
        asked &= part != "test"
    for name in (options.simulated, options.recorded):
        if not (asked & (source == name)).any():
            raise OneSourceError(f"no graph is of the source {name!r}: coverage needs two (scenes.evaluation.coverage)")
    train, rows = np.flatnonzero(part == "train"), np.flatnonzero(asked)
    scene = pd.factorize(embeddings["source"] + "/" + embeddings["scene"])[0]
    return Space(
        rows,
        {
            name: matrix[rows]
            for name, matrix in representations(graphs, embeddings, weights, train, evaluation).items()
        },
        Sources(source[rows] == options.recorded, scene[rows], archetypes.to_numpy(bool)[rows]),
    )


def representations(
    graphs: Graphs, embeddings: pd.DataFrame, weights: State, train: np.ndarray, evaluation: EvaluationOptions
) -> dict[str, np.ndarray]:
    """The embedding and three that need no training; the kernel is that of the fewest rounds, at length 1."""
    from sklearn.preprocessing import normalize

    random = untrained(weights, graphs, train, evaluation, 0)
    kernel = dense(normalize(wl_vectors(graphs, min(evaluation.wl_iterations), train)))
    columns = vector_columns(embeddings)
    return {
        TRAINED: comparable(embeddings[columns].to_numpy(np.float64), train),
        RANDOM: comparable(embed_graphs(random, graphs).astype(np.float64), train),
        STATISTICS: comparable(hand_statistics(graphs), train),
        KERNEL: kernel,
    }


def gaps(
    space: Space, embeddings: pd.DataFrame, evaluation: EvaluationOptions
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, float]]:
    """Recorded graphs and archetypes by their gaps in the embedding, and the numbers of every representation."""
    options, sources = evaluation.coverage, space.sources
    numbers: dict[str, float] = {}
    tables = []
    for name, vectors in space.vectors.items():
        near = nearest(vectors, sources.scene, LISTED)
        observed = measured(near, sources, options.num_neighbors, generator(evaluation.seed, "thinning"))
        rng = generator(evaluation.seed, "permutation")
        p = p_values(near, sources, observed, options.num_neighbors, options.num_permutations, rng)
        key = "" if name == TRAINED else f"_{name.lower().replace(' ', '_')}"
        numbers |= {f"coverage{key}": observed.covered, f"coverage_p{key}": p.covered}
        numbers |= {f"mean_gap{key}": observed.gap, f"mean_gap_p{key}": p.gap}
        if name == TRAINED:
            score = gap_scores(near, sources.recorded, options.num_neighbors, generator(evaluation.seed, "thinning"))[0]
            tables = [_ranked(space, embeddings, score), _by_archetype(sources, observed, p, evaluation.min_positives)]
    return tables[0], tables[1], numbers


def _ranked(space: Space, embeddings: pd.DataFrame, score: np.ndarray) -> pd.DataFrame:
    """Recorded graphs, the largest gap first."""
    rows = space.rows[space.sources.recorded]
    present = [" ".join(np.array(NAMES)[row]) for row in space.sources.labels[space.sources.recorded]]
    table = embeddings.iloc[rows][["graph_id", "scene", "time_s"]].assign(row=rows, score=score, archetypes=present)
    return table.sort_values("score", ascending=False, ignore_index=True)


def _by_archetype(sources: Sources, observed: Statistics, p: Statistics, smallest: int) -> pd.DataFrame:
    """Shares in both sources and mean gap of each archetype, with p-values, the least likely difference first."""
    here, there = sources.labels[sources.recorded], sources.labels[~sources.recorded]
    table = pd.DataFrame(
        {
            "archetype": list(NAMES),
            "simulated_share": there.mean(axis=0),
            "recorded_share": here.mean(axis=0),
            "difference_p": p.differences,
            "mean_gap": observed.gaps,
            "gap_p": p.gaps,
        }
    )
    few = here.sum(axis=0) < smallest
    table.loc[few, ["difference_p", "mean_gap", "gap_p"]] = np.nan
    order = table.assign(least=table["simulated_share"] - table["recorded_share"])
    table = table.loc[order.sort_values(["difference_p", "least"]).index]
    whole = {"archetype": ALL, "simulated_share": 1.0, "recorded_share": 1.0, "mean_gap": observed.gap, "gap_p": p.gap}
    return pd.concat([pd.DataFrame([whole]), table], ignore_index=True)[list(table.columns)]


def all_detectors(
    space: Space, graphs: Graphs, weights: State, embeddings: pd.DataFrame, evaluation: EvaluationOptions
) -> dict[tuple[str, str], Detector]:
    """Detectors of the simulated graphs, by name and representation."""
    options, simulated = evaluation.coverage, ~space.sources.recorded
    rows = space.rows[simulated]
    nodes, graph = graphs.rows(rows), np.repeat(np.arange(len(rows)), graphs.nodes[rows])
    random = untrained(weights, graphs, np.flatnonzero(embeddings["split"] == "train"), evaluation, 0)
    found: dict[tuple[str, str], Detector] = {
        (EMBEDDING, name): detectors.by_embedding(vectors[simulated], options.C)
        for name, vectors in space.vectors.items()
    }
    for name, state in ((TRAINED, weights), (RANDOM, random)):
        states = node_vectors(state, graphs)[nodes]
        found[USERS, name] = detectors.by_road_users(states, graph, options.node_C)
    patterns = sparse.csr_array(detectors.pattern_table(graphs))[rows]
    found[PATTERNS, PATTERNS] = detectors.by_patterns(patterns)
    found[NEIGHBOURS, TRAINED] = detectors.by_neighbours(space.vectors[TRAINED][simulated], options.num_neighbors)
    return found


def hole_numbers(holes: pd.DataFrame) -> dict[str, float]:
    """Mean recall over the archetypes of each detector and representation; nothing where no archetype was asked for."""
    if holes.empty:
        return {"known_holes": 0.0}
    means = holes.groupby(["detector", "representation"], as_index=False)[["recall", "auc", "label_free_recall"]].mean()
    numbers = {"known_holes": float(holes["archetype"].nunique())}
    for detector, representation, *values in means.itertuples(index=False, name=None):
        parts = [] if (detector, representation) == (EMBEDDING, TRAINED) else [detector]
        parts += [] if representation in (TRAINED, PATTERNS) else [representation]
        key = "".join(f"_{part.replace(' ', '_').lower()}" for part in parts)
        measures = ("known_hole_recall", "known_hole_auc", "known_hole_label_free_recall")
        numbers |= {f"{name}{key}": float(value) for name, value in zip(measures, values, strict=True)}
    return numbers


def comparable(vectors: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Vectors with each column scaled by the training rows, so that none rules the distances."""
    return standardised(vectors[train], vectors)[1]


def vector_columns(embeddings: pd.DataFrame) -> list[str]:
    """The columns of the embedding."""
    return [column for column in embeddings.columns if column.startswith("x") and column[1:].isdigit()]


def _halvings(space: Space, evaluation: EvaluationOptions) -> list[Halving]:
    simulated, rng = ~space.sources.recorded, generator(evaluation.seed, "holes")
    labels, scene = space.sources.labels[simulated], space.sources.scene[simulated]
    return halvings(labels, scene, evaluation.coverage.num_random_splits, evaluation.min_positives, rng)
