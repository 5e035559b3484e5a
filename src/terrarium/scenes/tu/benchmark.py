"""The same encoder and objectives on graph classification sets that are no traffic, by the protocol of the literature.

Train on all graphs without their classes for a number of epochs fixed in advance, hand out the readout, and classify
with a support vector machine in ten folds, its kernel and C chosen within the training folds (after Sun et al. 2020,
InfoGraph), for every representation alike.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from terrarium.scenes.graphs.weisfeiler_lehman import refined
from terrarium.scenes.options import ModelOptions, TrainingOptions, TUOptions
from terrarium.scenes.training.augmentations import View
from terrarium.scenes.tu.cross_validation import classify
from terrarium.sources.errors import SourceError
from terrarium.sources.tu import LabelledGraphs, read_tu
from terrarium.training.checkpointing.state import State
from terrarium.training.checkpointing.store import TrainingStore
from terrarium.training.fit import fit

TRAINED, RANDOM, COUNTS, WL = "trained", "random encoder", "label counts", "WL subtree kernel"
_COLUMNS = ("node_offset", "edge_offset", "x", "edge", "edge_x", "label")


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
        for seed in range(tu.seed, tu.seed + tu.num_seeds):
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
        counted = {COUNTS: label_counts(graphs), WL: subtree_counts(graphs, tu.wl_iterations)}
        for seed in range(tu.seed, tu.seed + tu.num_seeds):
            vectors = {kind: embeddings.tensors[f"{name}.{kind}.{seed}"] for kind in (TRAINED, RANDOM)}
            for kind, matrix in (vectors | counted).items():
                found = classify(matrix, graphs.label, tu.n_splits, seed, scaled=kind != WL)
                named = {"dataset": name, "representation": kind, "seed": seed}
                rows += [{**named, "fold": number, **asdict(fold)} for number, fold in enumerate(found)]
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


def label_counts(graphs: LabelledGraphs) -> np.ndarray:
    """Sums of node features, nodes and edges of each graph (g, ·)."""
    sizes = np.diff(graphs.node_offset)
    sums = np.add.reduceat(graphs.x, graphs.node_offset[:-1], axis=0)
    return np.column_stack([sums, sizes, np.diff(graphs.edge_offset)]).astype(np.float64)


def subtree_counts(graphs: LabelledGraphs, rounds: int) -> np.ndarray:
    """How often each label of the Weisfeiler-Lehman refinement occurs in each graph, rows of length 1 (g, ·).

    Labels start at the features of a node; a round gives one number to each label with the sorted pairs of edge and
    label around it. The inner product is the normalised WL subtree kernel (Shervashidze et al. 2011).
    """
    node_graph = np.repeat(np.arange(len(graphs.label)), np.diff(graphs.node_offset))
    shift = np.repeat(graphs.node_offset[:-1], np.diff(graphs.edge_offset))
    source, target = graphs.edge[:, 0] + shift, graphs.edge[:, 1] + shift
    kind = np.unique(graphs.edge_x, axis=0, return_inverse=True)[1].reshape(-1)
    label = np.unique(graphs.x, axis=0, return_inverse=True)[1].reshape(-1)
    columns = [_occurrences(label, node_graph)]
    for _ in range(rounds):
        label = refined(label, source, target, kind)
        columns.append(_occurrences(label, node_graph))
    counts = np.concatenate(columns, axis=1)
    return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-12)


def _occurrences(label: np.ndarray, node_graph: np.ndarray) -> np.ndarray:
    """Counts of the labels that more than one graph has; the others add to no inner product of two graphs."""
    counts = np.zeros((int(node_graph.max()) + 1, int(label.max()) + 1), np.float32)
    np.add.at(counts, (node_graph, label), 1.0)
    return counts[:, (counts > 0).sum(axis=0) > 1]


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
    still = {
        **{"node_noise": 0.0, "edge_noise": 0.0, "subgraph_fraction": 1.0},
        **{"temporal_positive_prob": 0.0, "feature_mask_prob": 0.0},
    }
    augmentation = training.augmentation.model_copy(
        update={
            "apply_to": "both",
            "node_drop_prob": tu.node_drop_prob,
            "edge_drop_prob": tu.edge_drop_prob,
            "drop_edge_pairs": True,
            **still,
        }
    )
    objective = training.objective.model_copy(
        update={"name": tu.objective, "temperature": tu.temperature, "mask_same_scene": False}
    )
    schedule = training.schedule.model_copy(
        update={"warm_restarts": False, "learning_rate": tu.learning_rate, "warmup_epochs": 0, "cosine": False}
    )
    stopping = training.stopping.model_copy(update={"patience": 0, "metric": "loss", "direction": "min"})
    wide = {
        "dim": tu.hidden_channels,
        "projection_dim": tu.hidden_channels,
        "hidden_channels": tu.hidden_channels,
        "num_layers": tu.num_layers,
        "output": "readout",
        "jumping_knowledge": "cat",
    }
    chosen = {
        **{"augmentation": augmentation, "objective": objective, "schedule": schedule, "stopping": stopping},
        **{"batch_size": tu.batch_size, "max_epochs": epochs, "seed": seed},
    }
    return model.model_copy(update={**wide, "seed": seed}), training.model_copy(update=chosen)


def _train(
    graphs: LabelledGraphs, name: str, store: TrainingStore, model: ModelOptions, training: TrainingOptions
) -> tuple[np.ndarray, pd.DataFrame]:
    import torch

    from terrarium.scenes.models.encoder import batch_of
    from terrarium.scenes.training.trainer import Problem, SceneTrainer

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
