"""The checkpoints of a knowledge graph run as scorers, with learning rate and state of the optimiser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from terrarium.influence.options import CheckpointOptions
from terrarium.influence.gradients.loss_parts import Trained
from terrarium.kge.data.graph import TRAIN, Graph
from terrarium.kge.options import ModelOptions, TrainingOptions
from terrarium.kge.data.queries import training_queries
from terrarium.training.checkpointing.store import Checkpoint, read_checkpoint
from terrarium.training.torch.packing import unpack
from terrarium.training.checkpointing.state import StateError

if TYPE_CHECKING:
    from torch import Tensor

    from terrarium.kge.models.scorer import Scorer

BEST, FINAL = "best.safetensors", "final.safetensors"


class WrongCheckpointsError(ValueError):
    """Checkpoints that are missing, of another family, or of other triples or another model."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The scorer after an epoch.

    Attributes:
        epoch, rate: which epoch, and the learning rate in it.
        scorer: in evaluation.
        scale: what the optimiser multiplies each number's gradient by; empty where it is not asked for.
    """

    epoch: int
    rate: float
    scorer: Scorer
    scale: dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class Training:
    """What the checkpoints tell of the training that made them."""

    model: ModelOptions
    training: TrainingOptions

    def trained(self, graph: Graph) -> Trained:
        """The loss that was trained."""
        options = self.training
        return Trained(
            options.loss.name,
            options.loss.label_smoothing,
            options.train_type == "KvsAll",
            self.model.inverse_relations,
            graph.num_entities,
            graph.num_relations,
            self._answers_a_row(graph),
        )

    def _answers_a_row(self, graph: Graph) -> float | None:
        if self.training.query_weight == "equal" or self.training.train_type == "1vsAll":
            return None
        queries = training_queries(
            graph.splits[TRAIN],
            graph.num_relations,
            train_type="KvsAll",
            inverse_relations=self.model.inverse_relations,
        )
        return queries.mean_answers


def files_of(folder: Path, options: CheckpointOptions) -> list[Path]:
    """The files to read, one an epoch, in the order of epochs.

    Raises:
        WrongCheckpointsError: none of them is there.
    """
    if options.use != "all":
        path = folder / (BEST if options.use == "best" else FINAL)
        if not path.is_file():
            raise WrongCheckpointsError(f"there is no {path.name} in {folder}: choose another checkpoints.use")
        return [path]
    found = sorted(folder.glob("epoch_*.safetensors"))
    numbered = {int(path.stem.removeprefix("epoch_")): path for path in found}
    best = folder / BEST
    if best.is_file():
        numbered.setdefault(read_checkpoint(best).epoch, best)
    missing = sorted(set(options.epochs) - numbered.keys())
    if missing or not numbered:
        held = ", ".join(str(epoch) for epoch in sorted(numbered)) or "none"
        raise WrongCheckpointsError(
            f"{folder} has checkpoints of the epochs {held}, not of {missing}: change checkpoints.epochs, or train "
            "with knowledge_graph.training.checkpoints.keep_every"
        )
    return [numbered[epoch] for epoch in sorted(options.epochs or numbered)]


def read_training(checkpoint: Checkpoint, graph: Graph) -> Training:
    """Options of the training that made a checkpoint.

    Raises:
        WrongCheckpointsError: of another family, or of other triples.
    """
    held = checkpoint.fingerprint
    if not {"data", "model", "training"} <= held.keys() or "inverse_relations" not in held["model"]:
        raise WrongCheckpointsError("these are not a scorer's checkpoints: load the entry knowledge_graph.checkpoints")
    if held["data"] != graph.fingerprint:
        raise WrongCheckpointsError(
            "the checkpoints belong to another graph or another split than the triples at hand: choose versions of one "
            "run for checkpoints, triples, entities and relations with --load-versions=NAME:VERSION,..."
        )
    training = TrainingOptions.model_validate({**held["training"], "checkpoints": {"keep_last": 1, "keep_every": 0}})
    return Training(ModelOptions.model_validate(held["model"]), training)


def read_checkpoints(folder: Path, graph: Graph, options: CheckpointOptions) -> Iterator[tuple[Checkpoint, Training]]:
    """The chosen checkpoints in the order of epochs, each with the training it comes from.

    Raises:
        WrongCheckpointsError: missing, damaged, or not of one model and these triples.
    """
    model = None
    for path in files_of(folder, options):
        try:
            checkpoint = read_checkpoint(path)
        except StateError as error:
            raise WrongCheckpointsError(f"a checkpoint cannot be read: {error}") from error
        training = read_training(checkpoint, graph)
        if model not in (None, training.model):
            raise WrongCheckpointsError("the checkpoints are of different models: keep those of one run in a folder")
        model = training.model
        yield checkpoint, training


def read_snapshots(
    folder: Path, graph: Graph, options: CheckpointOptions, *, optimiser: bool
) -> tuple[list[Snapshot], Training]:
    """The chosen checkpoints as scorers, and the training they come from; `optimiser` asks for the scales too.

    Raises:
        WrongCheckpointsError: as `read_checkpoints`, or the scales are asked for and the optimiser has no state.
    """
    found = list(read_checkpoints(folder, graph, options))
    return [_snapshot(*one, graph, optimiser) for one in found], found[0][1]


def rate_of(checkpoint: Checkpoint) -> float:
    """The learning rate in the checkpoint's epoch; WrongCheckpointsError where no epoch was trained."""
    if not checkpoint.history:
        raise WrongCheckpointsError(
            f"the checkpoint of epoch {checkpoint.epoch} has no history, so its learning rate is not known: train an "
            "epoch, or choose others with influence.model.checkpoints"
        )
    return float(checkpoint.history[-1]["learning_rate"])


def _snapshot(checkpoint: Checkpoint, training: Training, graph: Graph, optimiser: bool) -> Snapshot:
    from terrarium.influence.similarity.exact_preconditioner import scales
    from terrarium.kge.models.scorer import build_scorer

    scorer = build_scorer(training.model, graph.num_entities, graph.num_relations)
    content = unpack(checkpoint.state)
    scorer.load_state_dict(content["model"])
    if optimiser and not content["optimizer"]["state"]:
        raise WrongCheckpointsError(
            "the optimiser has no state yet: train an epoch, or set influence.features.precondition to none"
        )
    scale = scales(scorer, content["optimizer"]) if optimiser else {}
    return Snapshot(checkpoint.epoch, rate_of(checkpoint), scorer.eval(), scale)


def read_best(folder: Path, graph: Graph) -> tuple[int, Training]:
    """The best epoch, and the training that the checkpoints come from. Raises as `read_checkpoints` does."""
    ((checkpoint, training),) = read_checkpoints(folder, graph, CheckpointOptions(use="best", epochs=[]))
    return checkpoint.epoch, training
