"""What is measured of embeddings, beside untrained encoders, ten statistics and the Weisfeiler-Lehman kernel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from terrarium.scenes.evaluation.baselines import hand_statistics, smallest_gap, wl_vectors
from terrarium.scenes.evaluation.logistic import Matrix, dense
from terrarium.scenes.evaluation.probes import (
    alignment,
    cross_view_top_1,
    effective_rank,
    neighbour_f1,
    probe,
    retrieval_map,
    ridge_r2,
    standardised,
    uniformity,
)
from terrarium.scenes.graphs.columns import Graphs
from terrarium.scenes.graphs.features import Encoding, encode
from terrarium.scenes.models.embedding import embed_graphs, embed_view, random_weights
from terrarium.scenes.options import EvaluationOptions
from terrarium.scenes.training.augmentations import changed_view, plain_view
from terrarium.training.checkpointing.state import State
from terrarium.training.torch.seeding import generator

TRAINED, RANDOM, STATISTICS, KERNEL = "trained", "random encoder", "ten statistics", "WL kernel"
HELD_OUT = "held-out scenes"
MEASURES = ("probe_macro_f1", "knn_macro_f1", "retrieval_map")
BY_ARCHETYPE = ("archetype", "representation", "f1", "test_set", "graphs")


@dataclass(frozen=True, eq=False)
class Task:
    """What is asked: archetypes and numbers of training and test graphs.

    Attributes:
        name: of the test set.
        train, validation, test: rows of graphs; probes are fitted on the first and chosen by the second.
        names: archetypes with graphs enough in both.
        labels: of all graphs and those archetypes (g, c).
        signature: number of each graph's set of archetypes (g).
        scene: number of each graph's scene (g).
        numbers: mean speed, smallest gap and size, by name (g).
        queries: places within `test` that are looked up.
    """

    name: str
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    names: list[str]
    labels: np.ndarray
    signature: np.ndarray
    scene: np.ndarray
    numbers: dict[str, np.ndarray]
    queries: np.ndarray


def measure(
    graphs: Graphs, index: pd.DataFrame, labels: pd.DataFrame, weights: State, options: EvaluationOptions
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A row a representation and test set; and the F1 of each archetype, a row each."""
    tasks = make_tasks(graphs, index, labels, options)
    train = np.flatnonzero(index["split"] == "train")
    encoders = {TRAINED: weights} | {
        f"{RANDOM} {i + 1}": untrained(weights, graphs, train, options, i) for i in range(options.num_random_encoders)
    }
    vectors = {name: embed_graphs(state, graphs).astype(np.float64) for name, state in encoders.items()}
    vectors[STATISTICS] = standardised(hand_statistics(graphs)[train], hand_statistics(graphs))[1]
    kernels = [wl_vectors(graphs, rounds, train) for rounds in options.wl_iterations]
    rows, by_archetype = [], [pd.DataFrame(columns=BY_ARCHETYPE)]
    for task in tasks:
        for name in (*vectors, KERNEL):
            numbers, f1 = (
                kernel_quality(kernels, task, options) if name == KERNEL else quality(vectors[name], task, options)
            )
            views = view_numbers(encoders[name], graphs, task, options) if name in encoders else {}
            rows.append({"representation": name, "test_set": task.name, **numbers, **views})
            counts = task.labels[task.test].sum(axis=0)
            columns = (task.names, name, f1, task.name, counts)
            by_archetype.append(pd.DataFrame(dict(zip(BY_ARCHETYPE, columns, strict=True))))
    table = pd.DataFrame(rows, columns=None if rows else ["representation", "test_set", *MEASURES])
    return table, pd.concat(by_archetype[min(len(rows), 1) :], ignore_index=True)


def untrained(weights: State, graphs: Graphs, train: np.ndarray, options: EvaluationOptions, number: int) -> State:
    """Weights of the same shape as drawn, the `number`-th from 0, whose batch norms have seen training graphs."""
    seed = int(generator(options.seed, "random", number).integers(2**31))
    return random_weights(weights, graphs, generator(options.seed, "norms").permutation(train)[:1024], seed)


def make_tasks(graphs: Graphs, index: pd.DataFrame, labels: pd.DataFrame, options: EvaluationOptions) -> list[Task]:
    """One task on the held-out scenes of the sources that are trained on, and one on each test-only source."""
    from terrarium.scenes.graphs.archetypes import signature

    part = index["split"].to_numpy()
    trained_on = set(index.loc[part == "train", "source"])
    own = index["source"].isin(trained_on).to_numpy()
    sets = {HELD_OUT: np.flatnonzero((part == options.split) & own)}
    for source in sorted(set(index["source"]) - trained_on):
        sets[str(source)] = np.flatnonzero(index["source"] == source)
    validation = np.flatnonzero((part == "validation") & own)
    train = generator(options.seed, "fit").permutation(np.flatnonzero(part == "train"))[: options.max_train_graphs]
    found = labels.to_numpy(bool)
    numbers = _numbers(graphs)
    scene = pd.factorize(index["source"] + "/" + index["scene"])[0]
    tasks = []
    for name, test in sets.items():
        enough = (found[train].sum(axis=0) >= options.min_positives) & (
            found[test].sum(axis=0) >= options.min_positives
        )
        enough &= (~found[train]).any(axis=0)
        if not enough.any():
            continue
        queries = generator(options.seed, "queries", name).permutation(len(test))[: options.max_queries]
        names = [str(column) for column in labels.columns[enough]]
        rows = (train, validation, test)
        tasks.append(Task(name, *rows, names, found[:, enough], signature(labels), scene, numbers, queries))
    return tasks


def _numbers(graphs: Graphs) -> dict[str, np.ndarray]:
    """What probes are asked for besides archetypes (g)."""
    statistics = hand_statistics(graphs)
    return {"mean_speed": statistics[:, 4], "smallest_gap": smallest_gap(graphs), "size": np.log(statistics[:, 0])}


def quality(vectors: Matrix, task: Task, options: EvaluationOptions) -> tuple[dict[str, float], np.ndarray]:
    """What is measured of any vectors, and the probe's F1 of each archetype."""
    probed = probe(vectors, task.labels, (task.train, task.validation, task.test), options.probe_C)
    train, test = vectors[task.train], vectors[task.test]
    some = dense(test[task.queries])
    numbers = {
        "dim": float(vectors.shape[1]),
        "strength": probed.strength,
        "probe_macro_f1": float(probed.f1.mean()),
        **near_numbers(vectors, task, task.test, task.queries, options),
        "uniformity": uniformity(some),
        "effective_rank": effective_rank(some),
    }
    for name, wanted in task.numbers.items():
        numbers[f"{name}_r2"] = ridge_r2(train, wanted[task.train], test, wanted[task.test])
    return {name: value for name, value in numbers.items() if np.isfinite(value)}, probed.f1


def near_numbers(
    vectors: Matrix, task: Task, asked: np.ndarray, queries: np.ndarray, options: EvaluationOptions
) -> dict[str, float]:
    """What neighbours say of some rows: F1 of their votes, and the precision of what is retrieved among the rows."""
    of_train, of_asked = task.labels[task.train], task.labels[asked]
    f1 = neighbour_f1(vectors[task.train], of_train, vectors[asked], of_asked, options.num_neighbors)
    found = retrieval_map(vectors[asked], task.signature[asked], task.scene[asked], queries)
    return {"knn_macro_f1": float(f1.mean()), "retrieval_map": found}


def kernel_quality(
    kernels: list[Matrix], task: Task, options: EvaluationOptions
) -> tuple[dict[str, float], np.ndarray]:
    """As `quality`, each measure from the number of rounds that is best by this measure on the validation scenes."""
    queries = generator(options.seed, "kernel").permutation(len(task.validation))[: options.max_queries]
    rows = (task.train, task.validation, task.validation)
    tried = []
    for vectors in kernels:
        found = near_numbers(vectors, task, task.validation, queries, options)
        read = probe(vectors, task.labels, rows, options.probe_C).validation_f1
        tried.append({"probe_macro_f1": read, **found})
    best = {name: int(np.argmax(np.nan_to_num([numbers[name] for numbers in tried]))) for name in MEASURES}
    measured = {place: quality(kernels[place], task, options) for place in set(best.values())}
    numbers, f1 = measured[best["probe_macro_f1"]]
    for name, place in best.items():
        numbers |= {key: value for key, value in measured[place][0].items() if key == name}
        numbers[f"{name}_rounds"] = float(options.wl_iterations[place])
    return numbers, f1


def view_numbers(weights: State, graphs: Graphs, task: Task, options: EvaluationOptions) -> dict[str, float]:
    """Alignment and cross-view top-1 of two views, against all queries as the gallery; the views never change."""
    nodes, edges = encode(graphs, Encoding(**weights.metadata["encoding"]))
    rng = generator(options.seed, "views", task.name)
    plain = plain_view(graphs, nodes, edges, task.test[task.queries])
    first, second = (embed_view(weights, changed_view(plain, options.augmentation, rng)) for _ in range(2))
    return {"alignment": alignment(first, second), "cross_view_top_1": cross_view_top_1(first, second)}


def summary(table: pd.DataFrame) -> dict[str, float]:
    """The trained encoder's row on held-out scenes, and the baselines' main measures, as flat numbers."""
    rows = table[table["test_set"] == HELD_OUT].set_index("representation").drop(columns="test_set")
    if rows.empty:
        return {}
    values: dict[str, dict[str, float]] = {str(name): dict(row) for name, row in rows.iterrows()}
    metrics = dict(values[TRAINED])
    random = [row for name, row in values.items() if name.startswith(RANDOM)]
    for name in MEASURES:
        metrics[f"{name}_random_encoder"] = float(np.mean([row[name] for row in random]))
        metrics[f"{name}_ten_statistics"] = values[STATISTICS][name]
        metrics[f"{name}_wl_kernel"] = values[KERNEL][name]
    return {name: float(value) for name, value in metrics.items() if np.isfinite(value)}
