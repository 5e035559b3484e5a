"""The encoder and its objectives on graph classification data sets, by the protocol of the literature.

Train on all graphs without their classes for a number of epochs fixed in advance, export the readout, and classify it
with a support vector machine in a ten-fold cross-validation (after Sun et al. 2020, InfoGraph). Every representation is
classified in the same way.
"""

from __future__ import annotations

import logging
from dataclasses import asdict

import numpy as np
import pandas as pd

from terrarium.common.vectors import normalize_rows
from terrarium.scenes.graphs.views import EncodedGraphs
from terrarium.scenes.graphs.weisfeiler_lehman import label_counts, refine
from terrarium.scenes.options import ModelOptions, TrainingOptions, TUOptions
from terrarium.scenes.tu.cross_validation import cross_validate
from terrarium.sources.errors import SourceError
from terrarium.sources.tu import LabelledGraphs, read_tu, require_folds
from terrarium.training.checkpointing.fingerprints import training_fingerprint
from terrarium.training.checkpointing.state import State
from terrarium.training.checkpointing.store import TrainingStore
from terrarium.training.fit import fit

logger = logging.getLogger(__name__)
TRAINED, RANDOM, COUNTS, WL = "trained", "random encoder", "label counts", "WL subtree kernel"
_COLUMNS = ("node_offset", "edge_offset", "x", "edge", "edge_x", "label", "label_columns")


def read_sets(tu: TUOptions) -> State:
    """Read all data sets into arrays named `set.column`.

    Raises:
        SourceError: the path is null, files are missing or faulty, or a class has fewer graphs than there are folds.
    """
    if tu.path is None:
        raise SourceError("scenes.tu.path is null: give the folder of TU data sets, each with a folder raw/")
    sets = {name: read_tu(tu.path, name) for name in tu.datasets}
    for name, graphs in sets.items():
        require_folds(graphs, tu.n_splits, name)
        node_labels, edge_labels = graphs.label_columns.tolist()
        attributes = graphs.x.shape[1] - node_labels
        logger.info(
            "%s: %d graphs, %d node labels (or degrees), %d node attributes, %d edge labels; the encoder and the "
            "feature sums use all of them, the WL kernel the labels",
            *(name, len(graphs.label), node_labels, attributes, edge_labels),
        )
    return State({f"{name}.{column}": getattr(graphs, column) for name, graphs in sets.items() for column in _COLUMNS})


def train_sets(
    sets: State, training_state: TrainingStore, tu: TUOptions, model: ModelOptions, training: TrainingOptions
) -> dict[str, State | pd.DataFrame]:
    """Train an encoder per data set and seed.

    Returns:
        embeddings: readouts of trained and untrained encoders, float32 (graphs, d), named `set.representation.seed`;
        history: of all trainings, with the columns dataset, representation and seed.
    """
    vectors, histories = {}, []
    for name in tu.datasets:
        graphs = _data_set(sets, name)
        for seed in range(tu.seed, tu.seed + tu.num_seeds):
            for kind, epochs in ((TRAINED, tu.max_epochs), (RANDOM, 0)):
                options = _fixed_options(tu, model, training, seed, epochs)
                vectors[f"{name}.{kind}.{seed}"], history = _train(graphs, name, training_state, *options)
                histories.append(history.assign(dataset=name, representation=kind, seed=seed))
    history = pd.concat([table for table in histories if len(table)] or histories[:1], ignore_index=True)
    return {"embeddings": State(vectors), "history": history}


def evaluate_sets(sets: State, embeddings: State, tu: TUOptions) -> dict[str, dict[str, float] | pd.DataFrame]:
    """Classify every representation.

    Returns:
        metrics: see `summarize`; accuracies: one row per fold, with the columns dataset, representation, seed, fold,
        accuracy, inner_accuracy and kernel.
    """
    rows = []
    for name in tu.datasets:
        graphs = _data_set(sets, name)
        baselines = {COUNTS: feature_sums(graphs), WL: subtree_counts(graphs, tu.wl_iterations)}
        for seed in range(tu.seed, tu.seed + tu.num_seeds):
            vectors = {kind: embeddings.tensors[f"{name}.{kind}.{seed}"] for kind in (TRAINED, RANDOM)}
            for kind, matrix in (vectors | baselines).items():
                folds = cross_validate(matrix, graphs.label, tu.n_splits, seed, scale=kind != WL)
                key = {"dataset": name, "representation": kind, "seed": seed}
                rows += [{**key, "fold": number, **asdict(fold)} for number, fold in enumerate(folds)]
    table = pd.DataFrame(rows)
    return {"metrics": summarize(table), "accuracies": table}


def summarize(table: pd.DataFrame) -> dict[str, float]:
    """Return mean accuracy, standard deviation over seeds and over folds of each set and representation, in percent."""
    metrics = {}
    for (name, kind), rows in table.groupby(["dataset", "representation"], sort=True):
        key = f"{name}_{kind}".lower().replace(" ", "_")
        by_seed = rows.groupby("seed")["accuracy"]
        metrics[f"{key}_accuracy"] = 100 * float(rows["accuracy"].mean())
        metrics[f"{key}_seed_std"] = 100 * float(by_seed.mean().std(ddof=0))
        metrics[f"{key}_fold_std"] = 100 * float(by_seed.std(ddof=0).mean())
    return metrics


def feature_sums(graphs: LabelledGraphs) -> np.ndarray:
    """Return the sums of node features and the numbers of nodes and edges of each graph, float64 (graphs, ·)."""
    sums = np.add.reduceat(graphs.x, graphs.node_offset[:-1], axis=0)
    return np.column_stack([sums, np.diff(graphs.node_offset), np.diff(graphs.edge_offset)]).astype(np.float64)


def subtree_counts(graphs: LabelledGraphs, iterations: int) -> np.ndarray:
    """Count Weisfeiler-Lehman labels in each graph, rows of length 1, float32 (graphs, labels).

    Initial labels are those of the data set, without attributes, of which hardly two are equal: a node that has only
    attributes starts like all others. The inner product is the normalized WL subtree kernel (Shervashidze et al. 2011);
    labels of a single graph add to no inner product and are left out.
    """
    node_columns, edge_columns = graphs.label_columns.tolist()
    rows = np.arange(len(graphs.label))
    node_graph = np.repeat(rows, np.diff(graphs.node_offset))
    source, target = (graphs.edge + np.repeat(graphs.node_offset[:-1], np.diff(graphs.edge_offset))[:, None]).T
    edge_label = _number_rows(graphs.edge_x[:, graphs.edge_x.shape[1] - edge_columns :])
    labels = [_number_rows(graphs.x[:, :node_columns])]
    for _ in range(iterations):
        labels.append(refine(labels[-1], source, target, edge_label))
    counts = [label_counts(label, node_graph, len(rows), rows).toarray() for label in labels]
    return normalize_rows(np.concatenate(counts, axis=1).astype(np.float32), 1e-12)


def _number_rows(columns: np.ndarray) -> np.ndarray:
    """Return a number for each row, equal for equal rows, int64 (rows,)."""
    if not columns.shape[1]:
        return np.zeros(len(columns), np.int64)
    return np.asarray(np.unique(columns, axis=0, return_inverse=True)[1].reshape(-1), np.int64)


def encode_set(graphs: LabelledGraphs) -> EncodedGraphs:
    """Return the graphs for the encoder; both directions of an edge have the same pair number."""
    edge = graphs.edge + np.repeat(graphs.node_offset[:-1], np.diff(graphs.edge_offset))[:, None]
    pair = edge.min(axis=1) * len(graphs.x) + edge.max(axis=1)
    return EncodedGraphs(graphs.node_offset, graphs.edge_offset, graphs.x, graphs.edge, graphs.edge_x, pair)


def _data_set(sets: State, name: str) -> LabelledGraphs:
    return LabelledGraphs(**{column: sets.tensors[f"{name}.{column}"] for column in _COLUMNS})


def _fixed_options(
    tu: TUOptions, model: ModelOptions, training: TrainingOptions, seed: int, epochs: int
) -> tuple[ModelOptions, TrainingOptions]:
    """Return the family's options with those that the benchmark fixes."""
    augmentation = {
        "apply_to": "both",
        "node_drop_prob": tu.node_drop_prob,
        "edge_drop_prob": tu.edge_drop_prob,
        "drop_edge_pairs": True,
        "node_noise": 0.0,
        "edge_noise": 0.0,
        "temporal_positive_prob": 0.0,
    }
    loss = {"name": "nt_xent", "temperature": tu.temperature, "mask_same_scene": False}
    optimizer = {"learning_rate": tu.learning_rate}
    schedule = {"warm_restarts": False, "warmup_epochs": 0, "cosine": False}
    stopping = {"patience": 0, "metric": "loss", "direction": "min"}
    encoder = {
        "dim": tu.hidden_channels,
        "projection_dim": tu.hidden_channels,
        "hidden_channels": tu.hidden_channels,
        "num_layers": tu.num_layers,
        "output": "readout",
        "jumping_knowledge": "cat",
        "seed": seed,
    }
    fixed = {
        "augmentation": training.augmentation.model_copy(update=augmentation),
        "loss": training.loss.model_copy(update=loss),
        "optimizer": training.optimizer.model_copy(update=optimizer),
        "schedule": training.schedule.model_copy(update=schedule),
        "stopping": training.stopping.model_copy(update=stopping),
        "batch_size": tu.batch_size,
        "max_epochs": epochs,
        "schedule_epochs": None,
        "seed": seed,
    }
    return model.model_copy(update=encoder), training.model_copy(update=fixed)


def _train(
    graphs: LabelledGraphs, name: str, store: TrainingStore, model: ModelOptions, training: TrainingOptions
) -> tuple[np.ndarray, pd.DataFrame]:
    """Return the readouts of all graphs and the history."""
    import torch

    from terrarium.scenes.models.encoder import batch_of
    from terrarium.scenes.training.problem import Problem
    from terrarium.scenes.training.trainer import SceneTrainer

    rows = np.arange(len(graphs.label))
    problem = Problem(
        graphs=encode_set(graphs),
        scene=rows,
        next_row=np.full(len(rows), -1),
        train=rows,
        validation=rows[:0],
        metadata={"dataset": name},
    )
    trainer = SceneTrainer(problem, model, training)
    fingerprint = training_fingerprint(
        data={"dataset": name, "graphs": graphs.fingerprint()}, model=model, training=training
    )
    result = fit(trainer, options=training, store=store, fingerprint=fingerprint, title=name)
    encoder = trainer.objective.encoder.eval()
    with torch.no_grad():
        return encoder.output(batch_of(problem.graphs.view(rows))).numpy(), result.history
