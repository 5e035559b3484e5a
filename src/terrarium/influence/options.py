"""Typed parameters of the influence family, branch by branch; the defaults stand in its parameter file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from terrarium.common.options import Options as Base
from terrarium.kge.options import Precision

SUBSETS_OF_SEED = 3
"""Retrainings of a seed that a rank correlation needs, once their mean is taken off."""


class SourceOptions(Base):
    """Which triples are asked about."""

    kind: Literal["test", "file", "indices", "predictions", "none"] = Field(description="see docs/influence.md")
    path: str | None = Field(description="file: a file of triples, head TAB relation TAB tail")
    indices: list[int] = Field(description="indices: rows of the test triples, from 0")
    entity: str | None = Field(description="predictions: id or name of the head; null: of the first test triple")
    relation: str | None = Field(description="predictions: null: that of the entity's first test triple")
    predicted: int = Field(gt=0, description="predictions: how many of the best")
    limit: int = Field(ge=0, description="triples at most, in their order, of the other kinds; 0: all")

    @model_validator(mode="after")
    def _is_whole(self) -> SourceOptions:
        if self.kind == "file" and self.path is None:
            raise ValueError("kind file reads a file: set path to it")
        if self.kind == "indices" and not self.indices:
            raise ValueError("kind indices needs rows: set indices")
        return self


class CheckpointOptions(Base):
    """Which checkpoints are summed over."""

    use: Literal["all", "best", "last"] = Field(description="all that are kept, or one")
    epochs: list[int] = Field(description="all: these epochs only; []: every epoch that is kept")

    @model_validator(mode="after")
    def _is_one_choice(self) -> CheckpointOptions:
        if self.use != "all" and self.epochs:
            raise ValueError(f"use {self.use} takes one checkpoint: set use to all, or epochs to []")
        return self


class ModelOptions(Base):
    """Which states of the scorer."""

    checkpoints: CheckpointOptions


class FeatureOptions(Base):
    """Which gradient stands for a triple, and how two of them are compared."""

    unit: Literal["removal", "share", "row", "positive"] = Field(description="what of the loss belongs to a triple")
    measure: Literal["loss", "part", "score"] = Field(description="what is explained of the triple asked about")
    layers: list[str] = Field(description="names of parameters; []: all")
    precondition: Literal["none", "factored", "exact"] = Field(description="weight by the state of Adam or Adagrad")
    normalise: Literal["none", "cosine"]
    projection: int = Field(ge=0, description="numbers that a gradient is projected to at random; 0: exact")
    method: Literal["closed_form", "backward"] = Field(description="backward: one pass a triple, to compare with")
    seed: int = Field(ge=0)

    @model_validator(mode="after")
    def _fits(self) -> FeatureOptions:
        compared = self.projection > 0 or self.normalise == "cosine"
        if self.precondition == "exact" and compared:
            raise ValueError("precondition exact stands alone: set normalise to none and projection to 0, or factored")
        if self.method == "backward" and (self.precondition != "none" or compared):
            raise ValueError(
                "method backward gives plain dot products: set precondition and normalise to none and projection to 0"
            )
        return self


class TrainingOptions(Base):
    """Retrainings, in the pipeline influence_validation."""

    epochs: int = Field(ge=0, description="of each retraining; 0: as many as the checkpoints' training had to its best")
    checkpoints: int = Field(gt=0, description="states of a retraining that influence is summed over, evenly apart")
    subsets: int = Field(gt=1, description="linear datamodelling: retrainings, each without a part of the triples")
    left_out: float = Field(gt=0, lt=1, description="linear datamodelling: share of triples that a retraining lacks")
    removed: list[PositiveInt] = Field(min_length=1, description="deletion: how many triples are removed")
    planted: float = Field(gt=0, lt=1, description="wrong triples: share of the training triples")
    split: Literal["test", "validation"] = Field(description="where the triples asked about stand")
    tested: int = Field(gt=0, description="linear datamodelling: triples asked about")
    deletion_tested: int = Field(gt=0, description="deletion: triples asked about")
    seeds: list[NonNegativeInt] = Field(min_length=1, description="starts of the retrainings")

    @model_validator(mode="after")
    def _can_be_compared(self) -> TrainingOptions:
        for name, given in (("seeds", self.seeds), ("removed", self.removed)):
            if len(set(given)) < len(given):
                raise ValueError(f"{name} {given} holds a number twice: give each once")
        if self.subsets < SUBSETS_OF_SEED * len(self.seeds):
            raise ValueError(
                f"{self.subsets} subsets for {len(self.seeds)} seeds leave a seed fewer than {SUBSETS_OF_SEED} "
                "retrainings, which cannot be ranked: raise subsets, or give fewer seeds"
            )
        return self


class PathOptions(Base):
    """Paths between head and tail."""

    length: int = Field(ge=1, le=3, description="edges at most")
    triples: int = Field(ge=0, description="how many of the triples asked about, from the first; 0: none")
    most: int = Field(gt=0, description="paths kept of a triple")
    permutations: int = Field(ge=0, description="shuffles of the scores for the null; 0: none")


class EvaluationOptions(Base):
    """How the scores are computed."""

    top: int = Field(gt=0, description="proponents and as many opponents of a triple")
    batch_size: int = Field(gt=0, description="triples asked about at once")
    block_mb: int = Field(gt=0, description="memory for a block of training triples")
    self_influence: bool = Field(description="of every training triple, in a table of its own")
    precision: Precision
    device: str = Field(description="auto, cpu, cuda, cuda:N or mps")
    gradient_checkpointing: bool = Field(description="backward: compute the query again instead of keeping it")
    memory_cleanup: bool = Field(description="give cached memory of a GPU back at intervals")
    cleanup_interval: int = Field(gt=0, description="blocks, or triples of backward, between cleanups")
    paths: PathOptions


class ReportingOptions(Base):
    """What the report shows."""

    triples: int = Field(gt=0, description="triples asked about that are shown one by one")
    edges: int = Field(gt=0, description="proponents in a picture and a table")


class Options(Base):
    """The family's tree of parameters."""

    source: SourceOptions
    model: ModelOptions
    features: FeatureOptions
    training: TrainingOptions
    evaluation: EvaluationOptions
    reporting: ReportingOptions
