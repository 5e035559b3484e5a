"""What is measured of embeddings, next to encoders, ten statistics and the Weisfeiler-Lehman kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from terrarium.scenes.evaluation.baselines import wl_vectors
from terrarium.scenes.evaluation.matrices import Matrix, standardize, to_dense
from terrarium.scenes.evaluation.probes import (
    SplitRows,
    alignment,
    cross_view_top_1,
    effective_rank,
    knn_f1,
    linear_probe,
    retrieval_map,
    ridge_r2,
    uniformity,
)
from terrarium.scenes.graphs.archetypes import signatures
from terrarium.scenes.graphs.columns import Graphs, scene_numbers
from terrarium.scenes.graphs.features import Encoding
from terrarium.scenes.graphs.views import encode_graphs
from terrarium.scenes.models.embedding import embed_graphs, embed_view, encoder_weights, random_weights
from terrarium.scenes.models.graphlets import fit_counter
from terrarium.scenes.models.statistics import hand_statistics
from terrarium.scenes.options import EvaluationOptions
from terrarium.scenes.training.augmentations import augment_view
from terrarium.training.checkpointing.state import State
from terrarium.training.torch.seeding import generator

GRAPHLETS, TRAINED, RANDOM = "graphlets", "trained encoder", "random encoder"
STATISTICS, KERNEL = "ten statistics", "WL kernel"
EXPORTED = "exported vectors"
HELD_OUT = "held-out scenes"
MEASURES = ("probe_macro_f1", "knn_macro_f1", "retrieval_map")
ARCHETYPE_COLUMNS = ("archetype", "representation", "f1", "test_set", "graphs")
_NORM_GRAPHS = 1024
"""Training graphs that give an untrained encoder its batch norm statistics."""


@dataclass(frozen=True, eq=False)
class Task:
    """What is predicted: archetypes and numbers of training and test graphs.

    Attributes:
        name: of the test set.
        rows: rows of graphs of each split.
        names: archetypes with enough positive graphs in training and test.
        labels: whether each graph has each of these archetypes, bool (graphs, archetypes).
        signature: number of each graph's set of archetypes (graphs,).
        scene: number of each graph's scene (graphs,).
        targets: mean speed, smallest gap and log size by name, (graphs,) each.
        queries: positions within the test rows that serve as retrieval queries.
    """

    name: str
    rows: SplitRows
    names: list[str]
    labels: np.ndarray
    signature: np.ndarray
    scene: np.ndarray
    targets: dict[str, np.ndarray]
    queries: np.ndarray


class Quality(NamedTuple):
    """Measures by name, and the probe's F1 of each archetype of the task."""

    metrics: dict[str, float]
    f1: np.ndarray


def measure_representations(
    graphs: Graphs, index: pd.DataFrame, labels: pd.DataFrame, weights: State, options: EvaluationOptions
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measure the trained encoder and the baselines on every test set.

    Args:
        graphs: all graphs.
        index: their table, with the columns source, scene and split.
        labels: their archetypes; see `label_graphs`.
        weights: of the trained encoder.
        options: of the evaluation.

    Returns:
        One row per representation and test set, with one column per measure; and one row per archetype,
        representation and test set, with the columns of `ARCHETYPE_COLUMNS`.
    """
    tasks = make_tasks(graphs, index, labels, options)
    train = np.flatnonzero(index["split"] == "train")
    encoders = {TRAINED: encoder_weights(weights)} | {
        f"{RANDOM} {number + 1}": untrained_weights(weights, graphs, train, options, number)
        for number in range(options.num_random_encoders)
    }
    vectors = {GRAPHLETS: fit_counter(graphs, train).vectors(graphs).astype(np.float64)}
    vectors |= {name: embed_graphs(state, graphs).astype(np.float64) for name, state in encoders.items()}
    vectors[STATISTICS] = standardized_statistics(graphs, train)
    kernels = [wl_vectors(graphs, iterations, train) for iterations in options.wl_iterations]
    rows, by_archetype = [], [pd.DataFrame(columns=ARCHETYPE_COLUMNS)]
    for task in tasks:
        positives = task.labels[task.rows.test].sum(axis=0)
        for name in (*vectors, KERNEL):
            measured = (
                kernel_quality(kernels, task, options) if name == KERNEL else quality(vectors[name], task, options)
            )
            views = view_metrics(encoders[name], graphs, task, options) if name in encoders else {}
            rows.append({"representation": name, "test_set": task.name, **measured.metrics, **views})
            values = (task.names, name, measured.f1, task.name, positives)
            by_archetype.append(pd.DataFrame(dict(zip(ARCHETYPE_COLUMNS, values, strict=True))))
    table = pd.DataFrame(rows, columns=None if rows else ["representation", "test_set", *MEASURES])
    return table, pd.concat(by_archetype[min(len(rows), 1) :], ignore_index=True)


def untrained_weights(
    weights: State, graphs: Graphs, train: np.ndarray, options: EvaluationOptions, number: int
) -> State:
    """Return initial weights of an encoder, with batch norm statistics of training graphs.

    Args:
        weights: of the trained encoder, whose shapes are taken.
        graphs: all graphs.
        train: rows of the training graphs.
        options: seed.
        number: which of several untrained encoders, from 0.
    """
    seed = int(generator(options.seed, "random", number).integers(2**31))
    rows = generator(options.seed, "norms").permutation(train)[:_NORM_GRAPHS]
    return random_weights(weights, graphs, rows, seed)


def standardized_statistics(graphs: Graphs, train: np.ndarray) -> np.ndarray:
    """Return `hand_statistics` scaled by the training graphs, float64 (graphs, 10)."""
    statistics = np.ascontiguousarray(hand_statistics(graphs).to_numpy())
    return np.asarray(standardize(statistics[train], statistics)[1])


def make_tasks(graphs: Graphs, index: pd.DataFrame, labels: pd.DataFrame, options: EvaluationOptions) -> list[Task]:
    """Make a task of the held-out scenes of the sources that are trained on, and one of each test-only source.

    Tasks without any archetype with enough positives are left out.

    Args:
        graphs: all graphs.
        index: columns source, scene and split, one row per graph.
        labels: archetypes, bool, one row per graph; see `label_graphs`.
        options: seed, split, fewest positives and most training graphs.
    """
    split = index["split"].to_numpy()
    trained_sources = set(index.loc[split == "train", "source"])
    is_trained_source = index["source"].isin(trained_sources).to_numpy()
    test_sets = {HELD_OUT: np.flatnonzero((split == options.split) & is_trained_source)}
    for source in sorted(set(index["source"]) - trained_sources):
        test_sets[str(source)] = np.flatnonzero(index["source"] == source)
    validation = np.flatnonzero((split == "validation") & is_trained_source)
    train = generator(options.seed, "fit").permutation(np.flatnonzero(split == "train"))[: options.max_train_graphs]
    has_archetype = labels.to_numpy(bool)
    statistics = hand_statistics(graphs)
    targets = {
        "mean_speed": statistics["mean_speed"].to_numpy(),
        "smallest_gap": statistics["smallest_gap"].to_numpy(),
        "size": np.log(statistics["road_users"].to_numpy()),
    }
    tasks = []
    for name, test in test_sets.items():
        positives = np.minimum(has_archetype[train].sum(axis=0), has_archetype[test].sum(axis=0))
        is_used = (positives >= options.min_positives) & (~has_archetype[train]).any(axis=0)
        if not is_used.any():
            continue
        queries = generator(options.seed, "queries", name).permutation(len(test))[: options.max_queries]
        tasks.append(
            Task(
                name=name,
                rows=SplitRows(train, validation, test),
                names=[str(column) for column in labels.columns[is_used]],
                labels=has_archetype[:, is_used],
                signature=signatures(labels),
                scene=scene_numbers(index),
                targets=targets,
                queries=queries,
            )
        )
    return tasks


def quality(vectors: Matrix, task: Task, options: EvaluationOptions) -> Quality:
    """Measure vectors, one row per graph: probe, neighbours, retrieval, regressions and geometry."""
    probe = linear_probe(vectors, task.labels, task.rows, options.probe_C)
    train, test = vectors[task.rows.train], vectors[task.rows.test]
    query_vectors = to_dense(test[task.queries])
    metrics = {
        "dim": float(vectors.shape[1]),
        "probe_C": probe.C,
        "probe_macro_f1": float(probe.f1.mean()),
        **neighbor_metrics(vectors, task, task.rows.test, task.queries, options),
        "uniformity": uniformity(query_vectors),
        "effective_rank": effective_rank(query_vectors),
    }
    for name, target in task.targets.items():
        metrics[f"{name}_r2"] = ridge_r2(train, target[task.rows.train], test, target[task.rows.test])
    return Quality({name: value for name, value in metrics.items() if np.isfinite(value)}, probe.f1)


def neighbor_metrics(
    vectors: Matrix, task: Task, rows: np.ndarray, queries: np.ndarray, options: EvaluationOptions
) -> dict[str, float]:
    """Measure the k-nearest-neighbour classifier and the retrieval on some graphs.

    Args:
        vectors: of all graphs, shape (graphs, d).
        task: labels, scenes and training rows.
        rows: rows of the graphs to classify and to retrieve from.
        queries: positions in `rows` of the retrieval's queries.
        options: number of neighbours.

    Returns:
        knn_macro_f1 and retrieval_map.
    """
    train = task.rows.train
    f1 = knn_f1(vectors[train], task.labels[train], vectors[rows], task.labels[rows], options.num_neighbors)
    precision = retrieval_map(vectors[rows], task.signature[rows], task.scene[rows], queries)
    return {"knn_macro_f1": float(f1.mean()), "retrieval_map": precision}


def kernel_quality(kernels: list[Matrix], task: Task, options: EvaluationOptions) -> Quality:
    """Measure as `quality` does, with the number of iterations that is best for each measure on the validation scenes.

    Args:
        kernels: vectors of `wl_vectors`, one for each of `options.wl_iterations`.
        task: what is predicted.
        options: of the evaluation.
    """
    validation = task.rows.validation
    queries = generator(options.seed, "kernel").permutation(len(validation))[: options.max_queries]
    rows = task.rows._replace(test=validation)
    tried = []
    for vectors in kernels:
        nearest = neighbor_metrics(vectors, task, validation, queries, options)
        probe = linear_probe(vectors, task.labels, rows, options.probe_C)
        tried.append({"probe_macro_f1": probe.validation_f1, **nearest})
    best = {name: int(np.argmax(np.nan_to_num([metrics[name] for metrics in tried]))) for name in MEASURES}
    measured = {kernel: quality(kernels[kernel], task, options) for kernel in set(best.values())}
    metrics, f1 = measured[best["probe_macro_f1"]]
    metrics = dict(metrics)
    for name, kernel in best.items():
        metrics |= {key: value for key, value in measured[kernel].metrics.items() if key == name}
        metrics[f"{name}_iterations"] = float(options.wl_iterations[kernel])
    return Quality(metrics, f1)


def view_metrics(weights: State, graphs: Graphs, task: Task, options: EvaluationOptions) -> dict[str, float]:
    """Measure alignment and cross-view top-1 of two fixed views of the query graphs, the same for every encoder.

    Args:
        weights: of an encoder.
        graphs: all graphs.
        task: its query graphs are used.
        options: seed and augmentation.

    Returns:
        alignment and cross_view_top_1.
    """
    encoded = encode_graphs(graphs, Encoding(**weights.metadata["encoding"]))
    rng = generator(options.seed, "views", task.name)
    plain = encoded.view(task.rows.test[task.queries])
    first, second = (embed_view(weights, augment_view(plain, options.augmentation, rng)) for _ in range(2))
    return {"alignment": alignment(first, second), "cross_view_top_1": cross_view_top_1(first, second)}


def exported_name(weights: State) -> str:
    """Return the name of the representation that the weights export."""
    return GRAPHLETS if weights.metadata["model"]["output"] == GRAPHLETS else TRAINED


def summarize(table: pd.DataFrame, exported: str) -> dict[str, float]:
    """Return the measures of the exported vectors on the held-out scenes, and the main ones of all others.

    Args:
        table: columns representation, test_set and the measures, one row per representation and test set.
        exported: representation whose measures have no ending.
    """
    rows = table[table["test_set"] == HELD_OUT].set_index("representation").drop(columns="test_set")
    if rows.empty:
        return {}
    values: dict[str, dict[str, float]] = {str(name): dict(row) for name, row in rows.iterrows()}
    metrics = dict(values[exported])
    for name in (GRAPHLETS, TRAINED, RANDOM, STATISTICS, KERNEL):
        rows_of = [row for key, row in values.items() if key.startswith(name) and name != exported]
        for measure in MEASURES if rows_of else ():
            ending = name.lower().replace(" ", "_")
            metrics[f"{measure}_{ending}"] = float(np.mean([row[measure] for row in rows_of]))
    return {name: float(value) for name, value in metrics.items() if np.isfinite(value)}
