"""The same encoder and objectives on graph classification sets that are no traffic, by the protocol of the literature.

Train on all graphs without their classes for a number of epochs fixed in advance, hand out the readout, and classify
with a linear support vector machine in ten folds, its C chosen within the training folds (Sun et al. 2020, InfoGraph).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from terrarium.pipelines.scenes.options import ModelOptions, TrainingOptions, TUOptions
from terrarium.pipelines.scenes.views import View
from terrarium.sources.errors import SourceError
from terrarium.sources.tu import LabelledGraphs, read_tu
from terrarium.training.checkpoints import TrainingStore
from terrarium.training.fit import fit
from terrarium.training.state import State

TRAINED, RANDOM, COUNTS = "trained", "random encoder", "label counts"
_COLUMNS = ("node_offset", "edge_offset", "x", "edge", "edge_x", "label")
_GRID = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0)


def read_sets(tu: TUOptions) -> State:
    """All sets as arrays named `set.column`."""
    if tu.path is None:
        raise SourceError("scenes.tu.path is null: give the folder of TU data sets, each with a folder raw/")
    sets = {name: read_tu(tu.path, name) for name in tu.datasets}
    return State({f"{name}.{column}": getattr(graphs, column) for name, graphs in sets.items() for column in _COLUMNS})


def train_sets(
    sets: State, training_state: TrainingStore, tu: TUOptions, model: ModelOptions, training: TrainingOptions
) -> tuple[State, pd.DataFrame]:
    """Readouts of trained and untrained encoders, named `set.representation.seed`, and the histories."""
    vectors, histories = {}, []
    for name in tu.datasets:
        graphs = _graphs(sets, name)
        for seed in range(tu.seed, tu.seed + tu.seeds):
            for kind, epochs in ((TRAINED, tu.epochs), (RANDOM, 0)):
                chosen = _options(tu, model, training, seed, epochs)
                vectors[f"{name}.{kind}.{seed}"], history = _train(graphs, name, training_state, *chosen)
                histories.append(history.assign(dataset=name, representation=kind, seed=seed))
    return State(vectors), pd.concat([table for table in histories if len(table)] or histories[:1], ignore_index=True)


def evaluate_sets(sets: State, embeddings: State, tu: TUOptions) -> tuple[dict[str, float], pd.DataFrame]:
    """Accuracy of each fold; mean, spread over seeds and spread over folds of each set and representation."""
    rows = []
    for name in tu.datasets:
        graphs = _graphs(sets, name)
        for seed in range(tu.seed, tu.seed + tu.seeds):
            vectors = {kind: embeddings.tensors[f"{name}.{kind}.{seed}"] for kind in (TRAINED, RANDOM)}
            for kind, matrix in {**vectors, COUNTS: label_counts(graphs)}.items():
                for fold, accuracy in enumerate(accuracies(matrix, graphs.label, tu.folds, seed)):
                    row = {"dataset": name, "representation": kind, "seed": seed, "fold": fold, "accuracy": accuracy}
                    rows.append(row)
    table = pd.DataFrame(rows)
    return summary(table), table


def summary(table: pd.DataFrame) -> dict[str, float]:
    """Accuracies in percent as flat numbers."""
    metrics = {}
    for (name, kind), part in table.groupby(["dataset", "representation"], sort=True):
        key = f"{name}_{kind}".lower().replace(" ", "_")
        by_seed = part.groupby("seed")["accuracy"]
        metrics[f"{key}_accuracy"] = 100 * float(part["accuracy"].mean())
        metrics[f"{key}_seed_deviation"] = 100 * float(by_seed.mean().std(ddof=0))
        metrics[f"{key}_fold_deviation"] = 100 * float(by_seed.std(ddof=0).mean())
    return metrics


def accuracies(vectors: np.ndarray, label: np.ndarray, folds: int, seed: int) -> list[float]:
    """Test accuracy of each fold of a linear support vector machine on standardised vectors."""
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    found = []
    for train, test in StratifiedKFold(folds, shuffle=True, random_state=seed).split(vectors, label):
        model = make_pipeline(StandardScaler(), SVC(kernel="linear", max_iter=20_000))
        inner = StratifiedKFold(3, shuffle=True, random_state=seed)
        search = GridSearchCV(model, {"svc__C": [c / vectors.shape[1] for c in _GRID]}, cv=inner)
        found.append(float(search.fit(vectors[train], label[train]).score(vectors[test], label[test])))
    return found


def label_counts(graphs: LabelledGraphs) -> np.ndarray:
    """Sums of node features, nodes and edges of each graph (g, ·)."""
    sizes = np.diff(graphs.node_offset)
    sums = np.add.reduceat(graphs.x, graphs.node_offset[:-1], axis=0)
    return np.column_stack([sums, sizes, np.diff(graphs.edge_offset)]).astype(np.float64)


def view_of(graphs: LabelledGraphs, chosen: np.ndarray) -> View:
    """The graphs of some rows side by side."""
    nodes, edges = (_rows(offset, chosen) for offset in (graphs.node_offset, graphs.edge_offset))
    count = np.diff(graphs.node_offset)[chosen]
    start = np.concatenate([[0], np.cumsum(count)[:-1]])
    edge = graphs.edge[edges] + np.repeat(start, np.diff(graphs.edge_offset)[chosen])[:, None]
    low, high = edge.min(axis=1), edge.max(axis=1)
    graph = np.repeat(np.arange(len(chosen)), count)
    return View(graphs.x[nodes], edge.T.copy(), graphs.edge_x[edges], low * len(nodes) + high, graph, len(chosen))


def _rows(offset: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    return np.concatenate([np.arange(offset[i], offset[i + 1]) for i in chosen])


def _graphs(sets: State, name: str) -> LabelledGraphs:
    return LabelledGraphs(**{column: sets.tensors[f"{name}.{column}"] for column in _COLUMNS})


def _options(
    tu: TUOptions, model: ModelOptions, training: TrainingOptions, seed: int, epochs: int
) -> tuple[ModelOptions, TrainingOptions]:
    """The family's options with what this check fixes."""
    still = {"node_noise": 0.0, "edge_noise": 0.0, "subgraph": 1.0, "temporal": 0.0, "mask_features": 0.0}
    augmentation = training.augmentation.model_copy(
        update={"views": "both", "drop_node": tu.drop_node, "drop_edge": tu.drop_edge, "drop_in_pairs": True, **still}
    )
    objective = training.objective.model_copy(
        update={"name": tu.objective, "temperature": tu.temperature, "mask_same_scene": False}
    )
    schedule = training.schedule.model_copy(
        update={"kind": "step", "learning_rate": tu.learning_rate, "warmup_epochs": 0, "cosine": False}
    )
    stopping = training.stopping.model_copy(update={"patience": 0, "metric": "loss", "direction": "min"})
    wide = {"dim": tu.hidden, "hidden": tu.hidden, "layers": tu.layers, "export": "readout", "readout": "all"}
    chosen = {
        **{"augmentation": augmentation, "objective": objective, "schedule": schedule, "stopping": stopping},
        **{"batch_size": tu.batch_size, "max_epochs": epochs, "seed": seed},
    }
    return model.model_copy(update={**wide, "seed": seed}), training.model_copy(update=chosen)


def _train(
    graphs: LabelledGraphs, name: str, store: TrainingStore, model: ModelOptions, training: TrainingOptions
) -> tuple[np.ndarray, pd.DataFrame]:
    import torch

    from terrarium.pipelines.scenes.encoder import batch_of
    from terrarium.pipelines.scenes.trainer import Problem, SceneTrainer

    rows = np.arange(len(graphs.label))
    problem = Problem(
        view=partial(view_of, graphs),
        widths=(graphs.x.shape[1], graphs.edge_x.shape[1]),
        scene=rows,
        later=np.full(len(rows), -1),
        train=rows,
        validation=rows[:0],
        metadata={"dataset": name},
    )
    trainer = SceneTrainer(problem, model, training)
    fingerprint: dict[str, Any] = {
        "data": name,
        "model": model.model_dump(mode="json"),
        "training": training.model_dump(mode="json", exclude={"checkpoints"}),
    }
    result = fit(trainer, options=training, store=store, fingerprint=fingerprint, title=name)
    encoder = trainer.objective.encoder.eval()
    with torch.no_grad():
        return encoder.exported(batch_of(problem.view(rows))).numpy(), result.history
