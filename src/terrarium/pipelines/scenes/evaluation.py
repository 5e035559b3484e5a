"""What is measured of embeddings, beside untrained encoders, ten statistics and the Weisfeiler-Lehman kernel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from terrarium.pipelines.scenes.baselines import hand_statistics, smallest_gap, wl_vectors
from terrarium.pipelines.scenes.embedding import embed_graphs, embed_view, random_weights
from terrarium.pipelines.scenes.encoding import Encoding, encode
from terrarium.pipelines.scenes.graphs import Graphs
from terrarium.pipelines.scenes.options import EvaluationOptions
from terrarium.pipelines.scenes.probes import (
    alignment,
    cross_view_top_1,
    effective_rank,
    neighbour_f1,
    probe_f1,
    retrieval_map,
    ridge_r2,
    standardised,
    uniformity,
)
from terrarium.pipelines.scenes.views import changed_view, plain_view
from terrarium.training.seeding import generator
from terrarium.training.state import State

TRAINED, RANDOM, STATISTICS, KERNEL = "trained", "random encoder", "ten statistics", "WL kernel"
HELD_OUT = "held-out scenes"


@dataclass(frozen=True, eq=False)
class Task:
    """What is asked: archetypes and numbers of training and test graphs.

    Attributes:
        name: of the test set.
        train, test: rows of graphs.
        names: archetypes with graphs enough in both.
        labels: of all graphs and those archetypes (g, c).
        signature: number of each graph's set of archetypes (g).
        scene: number of each graph's scene (g).
        numbers: mean speed, smallest gap and size, by name (g).
        queries: places within `test` that are looked up.
    """

    name: str
    train: np.ndarray
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
    train = np.flatnonzero(index["part"] == "train")
    seeds = [int(generator(options.seed, "random", i).integers(2**31)) for i in range(options.random_encoders)]
    few = generator(options.seed, "norms").permutation(train)[:1024]
    encoders = {TRAINED: weights} | {
        f"{RANDOM} {i + 1}": random_weights(weights, graphs, few, seed) for i, seed in enumerate(seeds)
    }
    vectors = {name: embed_graphs(state, graphs) for name, state in encoders.items()}
    vectors[STATISTICS] = standardised(hand_statistics(graphs)[train], hand_statistics(graphs))[1]
    vectors[KERNEL] = wl_vectors(graphs, options.wl_rounds, options.wl_width)
    rows, by_archetype = [], []
    for task in tasks:
        for name, matrix in vectors.items():
            numbers, f1 = quality(matrix, task, options)
            views = view_numbers(encoders[name], graphs, task, options) if name in encoders else {}
            rows.append({"representation": name, "test_set": task.name, **numbers, **views})
            by_archetype.append(pd.DataFrame({"archetype": task.names, "representation": name, "f1": f1}))
            by_archetype[-1]["test_set"], by_archetype[-1]["graphs"] = task.name, task.labels[task.test].sum(axis=0)
    return pd.DataFrame(rows), pd.concat(by_archetype, ignore_index=True)


def make_tasks(graphs: Graphs, index: pd.DataFrame, labels: pd.DataFrame, options: EvaluationOptions) -> list[Task]:
    """One task on the held-out scenes of the sources that are trained on, and one on each test-only source."""
    from terrarium.pipelines.scenes.archetypes import signature

    part = index["part"].to_numpy()
    trained_on = set(index.loc[part == "train", "source"])
    own = index["source"].isin(trained_on).to_numpy()
    sets = {HELD_OUT: np.flatnonzero((part == options.part) & own)}
    for source in sorted(set(index["source"]) - trained_on):
        sets[str(source)] = np.flatnonzero(index["source"] == source)
    train = generator(options.seed, "fit").permutation(np.flatnonzero(part == "train"))[: options.fit_graphs]
    found = labels.to_numpy(bool)
    numbers = _numbers(graphs)
    scene = pd.factorize(index["source"] + "/" + index["scene"])[0]
    tasks = []
    for name, test in sets.items():
        enough = (found[train].sum(axis=0) >= options.smallest_class) & (
            found[test].sum(axis=0) >= options.smallest_class
        )
        enough &= (~found[train]).any(axis=0)
        if not enough.any():
            continue
        queries = generator(options.seed, "queries", name).permutation(len(test))[: options.queries]
        names = [str(column) for column in labels.columns[enough]]
        tasks.append(Task(name, train, test, names, found[:, enough], signature(labels), scene, numbers, queries))
    return tasks


def _numbers(graphs: Graphs) -> dict[str, np.ndarray]:
    """What probes are asked for besides archetypes (g)."""
    statistics = hand_statistics(graphs)
    return {"mean_speed": statistics[:, 4], "smallest_gap": smallest_gap(graphs), "size": np.log(statistics[:, 0])}


def quality(vectors: np.ndarray, task: Task, options: EvaluationOptions) -> tuple[dict[str, float], np.ndarray]:
    """What is measured of any vectors, and the probe's F1 of each archetype."""
    train, test = vectors[task.train].astype(np.float64), vectors[task.test].astype(np.float64)
    f1 = probe_f1(train, task.labels[task.train], test, task.labels[task.test])
    near = neighbour_f1(train, task.labels[task.train], test, task.labels[task.test], options.neighbours)
    some = test[task.queries]
    numbers = {
        "dim": float(vectors.shape[1]),
        "probe_macro_f1": float(f1.mean()),
        "knn_macro_f1": float(near.mean()),
        "retrieval_map": retrieval_map(test, task.signature[task.test], task.scene[task.test], task.queries),
        "uniformity": uniformity(some),
        "effective_rank": effective_rank(some),
    }
    for name, wanted in task.numbers.items():
        numbers[f"{name}_r2"] = ridge_r2(train, wanted[task.train], test, wanted[task.test])
    return numbers, f1


def view_numbers(weights: State, graphs: Graphs, task: Task, options: EvaluationOptions) -> dict[str, float]:
    """Alignment and cross-view top-1 of two views, against all queries as the gallery; the views never change."""
    nodes, edges = encode(graphs, Encoding(**weights.metadata["encoding"]))
    rng = generator(options.seed, "views", task.name)
    plain = plain_view(graphs, nodes, edges, task.test[task.queries])
    first, second = (embed_view(weights, changed_view(plain, options.views, rng)) for _ in range(2))
    return {"alignment": alignment(first, second), "cross_view_top_1": cross_view_top_1(first, second)}


def summary(table: pd.DataFrame) -> dict[str, float]:
    """The trained encoder's row on held-out scenes, and the baselines' main measures, as flat numbers."""
    rows = table[table["test_set"] == HELD_OUT].set_index("representation").drop(columns="test_set")
    if rows.empty:
        return {}
    values: dict[str, dict[str, float]] = {str(name): dict(row) for name, row in rows.iterrows()}
    metrics = dict(values[TRAINED])
    random = [row for name, row in values.items() if name.startswith(RANDOM)]
    for name in ("probe_macro_f1", "knn_macro_f1", "retrieval_map"):
        metrics[f"{name}_random_encoder"] = float(np.mean([row[name] for row in random]))
        metrics[f"{name}_ten_statistics"] = values[STATISTICS][name]
        metrics[f"{name}_wl_kernel"] = values[KERNEL][name]
    return {name: float(value) for name, value in metrics.items()}
