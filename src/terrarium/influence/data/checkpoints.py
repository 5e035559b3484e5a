"""The checkpoints of a knowledge graph training: scorer, learning rate and state of the optimizer at each epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from terrarium.influence.data.named_graph import LOAD_ONE_RUN
from terrarium.influence.gradients.loss_parts import LossSpec
from terrarium.influence.options import CheckpointOptions
from terrarium.kge.data.ancestors import Ancestors, is_trained, uses_ancestors
from terrarium.kge.data.graph import TRAIN, Graph
from terrarium.kge.data.queries import training_queries
from terrarium.kge.options import ModelOptions, TrainingOptions
from terrarium.training.checkpointing.fingerprints import MismatchedArtifactsError
from terrarium.training.checkpointing.state import StateError
from terrarium.training.checkpointing.checkpoint import Checkpoint, read_checkpoint
from terrarium.training.torch.packing import unpack

if TYPE_CHECKING:
    from torch import Tensor

    from terrarium.kge.models.scorer import Scorer

BEST, FINAL = "best.safetensors", "final.safetensors"


class CheckpointError(ValueError):
    """Checkpoints that are missing, damaged, untrained, or not of a scorer."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The scorer after an epoch.

    Attributes:
        epoch: number of the epoch, from 1.
        learning_rate: learning rate in it.
        scorer: the model, in evaluation mode, with complete entity embeddings.
        preconditioner: by parameter name, what the optimizer multiplies each gradient element by; empty when not read.
            That of `entity.weight` is of own vectors.
        parts: what the entity embeddings are sums of, besides own vectors; None for plain embeddings.
    """

    epoch: int
    learning_rate: float
    scorer: Scorer
    preconditioner: dict[str, Tensor]
    parts: Ancestors | None = None


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """Options of the training that made the checkpoints."""

    model: ModelOptions
    training: TrainingOptions

    def loss_spec(self, graph: Graph) -> LossSpec:
        """Return the loss that was trained on the graph."""
        options = self.training
        return LossSpec(
            loss=options.loss.name,
            label_smoothing=options.loss.label_smoothing,
            all_answers=options.train_type == "KvsAll",
            inverse_relations=self.model.inverse_relations,
            num_entities=graph.num_entities,
            num_relations=graph.num_relations,
            mean_answers=self._mean_answers(graph),
            n3_weight=self._n3_weight(graph),
        )

    def _n3_weight(self, graph: Graph) -> float:
        """Return the weight of the N3 penalty where its gradient has a closed form, else 0.

        That is with cross_entropy, inverse relations and embeddings without ancestors.
        """
        has_closed_form = self.training.loss.name == "cross_entropy" and self.model.inverse_relations
        if not has_closed_form or uses_ancestors(graph, self.model):
            return 0.0
        return self.training.loss.n3_weight or 0.0

    def _mean_answers(self, graph: Graph) -> float | None:
        if self.training.query_weight == "equal" or self.training.train_type == "1vsAll":
            return None
        train, inverse = graph.splits[TRAIN][is_trained(graph, self.model)], self.model.inverse_relations
        return training_queries(train, graph.num_relations, train_type="KvsAll", inverse_relations=inverse).mean_answers


def checkpoint_files(folder: Path, options: CheckpointOptions) -> list[Path]:
    """Return the files to read, one per epoch, in the order of epochs.

    Raises:
        CheckpointError: one of them does not exist.
    """
    if options.use in {"best", "last"}:
        path = folder / (BEST if options.use == "best" else FINAL)
        if not path.is_file():
            raise CheckpointError(f"there is no {path.name} in {folder}: choose another influence.checkpoints.use")
        return [path]
    by_epoch = {int(path.stem.removeprefix("epoch_")): path for path in sorted(folder.glob("epoch_*.safetensors"))}
    best = folder / BEST
    if best.is_file():
        by_epoch.setdefault(read_checkpoint(best).epoch, best)
    missing = sorted(set(options.epochs) - by_epoch.keys())
    if missing or not by_epoch:
        available = ", ".join(str(epoch) for epoch in sorted(by_epoch)) or "none"
        raise CheckpointError(
            f"{folder} has checkpoints of epochs {available}, not of {missing}: change influence.checkpoints.epochs, "
            "or train with knowledge_graph.training.checkpoints.keep_every"
        )
    last = read_checkpoint(best).epoch if options.use == "until_best" and best.is_file() else max(by_epoch)
    return [by_epoch[epoch] for epoch in sorted(options.epochs or (epoch for epoch in by_epoch if epoch <= last))]


def open_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; CheckpointError if the file is damaged."""
    try:
        return read_checkpoint(path)
    except StateError as error:
        raise CheckpointError(f"a checkpoint cannot be read: {error}") from error


def read_training(checkpoint: Checkpoint, graph: Graph) -> TrainingRun:
    """Return the options of the training that made a checkpoint.

    Raises:
        CheckpointError: the checkpoint is not of a scorer.
        MismatchedArtifactsError: it was trained on other triples.
    """
    fingerprint = checkpoint.fingerprint
    if not {"data", "model", "training"} <= fingerprint.keys() or "inverse_relations" not in fingerprint["model"]:
        raise CheckpointError("these are not a scorer's checkpoints: load the entry knowledge_graph.checkpoints")
    if fingerprint["data"] != graph.fingerprint:
        raise MismatchedArtifactsError(
            f"the checkpoints belong to another graph or another split: {LOAD_ONE_RUN} for "
            "knowledge_graph.checkpoints, triples, entities and relations"
        )
    retention = {"keep_last": 1, "keep_every": 0, "retrain": False}
    training = TrainingOptions.model_validate({**fingerprint["training"], "checkpoints": retention})
    return TrainingRun(ModelOptions.model_validate(fingerprint["model"]), training)


def read_checkpoints(
    folder: Path, graph: Graph, options: CheckpointOptions
) -> Iterator[tuple[Checkpoint, TrainingRun]]:
    """Yield the selected checkpoints in the order of epochs, each with the training that it comes from.

    Raises:
        CheckpointError: one is missing, damaged, or not of a scorer.
        MismatchedArtifactsError: they are of different models or of other triples.
    """
    model = None
    for path in checkpoint_files(folder, options):
        checkpoint = open_checkpoint(path)
        training = read_training(checkpoint, graph)
        if model not in (None, training.model):
            raise MismatchedArtifactsError(
                "the checkpoints are of different models: keep those of one run in a folder"
            )
        model = training.model
        yield checkpoint, training


def read_snapshots(
    folder: Path, graph: Graph, options: CheckpointOptions, *, with_preconditioner: bool
) -> tuple[list[Snapshot], TrainingRun]:
    """Return the selected checkpoints as scorers, and the training that they come from.

    Args:
        folder: `knowledge_graph.checkpoints`.
        graph: the graph that was trained on.
        options: which checkpoints.
        with_preconditioner: also read the state of the optimizer.

    Raises:
        CheckpointError, MismatchedArtifactsError: as `read_checkpoints`, or the optimizer has no state.
    """
    pairs = list(read_checkpoints(folder, graph, options))
    return [_snapshot(*pair, graph, with_preconditioner) for pair in pairs], pairs[0][1]


def last_learning_rate(checkpoint: Checkpoint) -> float:
    """Return the learning rate in the checkpoint's epoch; CheckpointError when no epoch was trained."""
    if not checkpoint.history:
        raise CheckpointError(
            f"the checkpoint of epoch {checkpoint.epoch} has no history, so its learning rate is unknown: train an "
            "epoch, or choose other checkpoints with influence.checkpoints"
        )
    return float(checkpoint.history[-1]["learning_rate"])


def _snapshot(checkpoint: Checkpoint, training: TrainingRun, graph: Graph, with_preconditioner: bool) -> Snapshot:
    from terrarium.influence.similarity.exact_preconditioner import read_preconditioner
    from terrarium.kge.models.scorer import build_scorer

    content = unpack(checkpoint.state)
    parts = _ancestors(content["model"])
    scorer = build_scorer(training.model, graph.num_entities, graph.num_relations, parts)
    scorer.load_state_dict(content["model"])
    if with_preconditioner and not content["optimizer"]["state"]:
        raise CheckpointError(
            "the optimizer has no state yet: train an epoch, or set influence.attribution.preconditioner to none"
        )
    preconditioner = read_preconditioner(scorer, content["optimizer"]) if with_preconditioner else {}
    learning_rate = last_learning_rate(checkpoint)
    return Snapshot(checkpoint.epoch, learning_rate, scorer.fold_ancestors().eval(), preconditioner, parts)


def complete_weights(model: Mapping[str, Tensor], num_entities: int) -> dict[str, Tensor]:
    """Return a scorer's state as weights are exported: with complete embeddings in place of own vectors."""
    from terrarium.kge.models.entities import AncestorSum

    ancestors = _ancestors(model)
    if ancestors is None:
        return dict(model)
    own = model["entity.weight"]
    kept = {name: tensor for name, tensor in model.items() if not name.startswith("ancestors.")}
    return {**kept, "entity.weight": AncestorSum(ancestors, num_entities)(own)}


def _ancestors(model: Mapping[str, Tensor]) -> Ancestors | None:
    """Return the ancestors and words that a scorer's state holds, if any."""
    if "ancestors.entity" not in model:
        return None
    return Ancestors(model["ancestors.entity"].numpy(), model["ancestors.ancestor"].numpy())


def read_best(folder: Path, graph: Graph) -> tuple[int, TrainingRun]:
    """Return the best epoch and the training of the checkpoints. Raises as `read_checkpoints` does."""
    ((checkpoint, training),) = read_checkpoints(folder, graph, CheckpointOptions(use="best", epochs=[], num_trainings=1))
    return checkpoint.epoch, training
