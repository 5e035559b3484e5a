"""Typed parameters of the influence family. Defaults are in `conf/base/parameters/influence.yml` only."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from terrarium.common.options import FilePath
from terrarium.common.options import Options as Base
from terrarium.kge.options import Precision

MIN_SUBSETS_PER_SEED = 3
"""A rank correlation needs three retrainings per seed, because the mean of each seed is subtracted first."""


class QueryOptions(Base):
    """Query triples: the triples whose predictions are explained."""

    renamed: ClassVar = {"predicted": "num_predictions", "limit": "max_queries"}

    kind: Literal["test", "file", "indices", "predictions", "none"] = Field(
        description="where query triples come from: the test split, a file, rows of the test split, the model's best "
        "predictions, or none (self-influence only)"
    )
    path: FilePath | None = Field(
        description="kind file: path of a file with lines head TAB relation TAB tail, .gz too"
    )
    indices: list[int] = Field(description="kind indices: rows of the test split, from 0")
    entity: str | None = Field(
        description="kind predictions: id or name of the head; null: the head of the first test triple"
    )
    relation: str | None = Field(
        description="kind predictions: id or name; null: the relation of the entity's first test triple"
    )
    num_predictions: int = Field(gt=0, description="kind predictions: how many of the best-scored tails")
    max_queries: int = Field(ge=0, description="largest number of query triples of the other kinds; 0: no limit")

    @model_validator(mode="after")
    def _has_what_its_kind_reads(self) -> QueryOptions:
        if self.kind == "file" and self.path is None:
            raise ValueError("kind file reads a file: set path to it")
        if self.kind == "indices" and not self.indices:
            raise ValueError("kind indices needs rows: set indices")
        return self


class CheckpointOptions(Base):
    """Checkpoints of the training that influence is summed over."""

    use: Literal["until_best", "all", "best", "last"] = Field(
        description="the checkpoints that were kept up to the best epoch, whose weights are exported (until_best), all "
        "of them, or one of them"
    )
    epochs: list[int] = Field(
        description="use until_best or all: only the checkpoints of these epochs; []: every epoch kept"
    )
    num_trainings: int = Field(
        ge=1,
        description="trainings that influence is averaged over: that of the checkpoints, and others with the following "
        "seeds, which are made here up to its last epoch",
    )

    @model_validator(mode="after")
    def _is_one_choice(self) -> CheckpointOptions:
        if self.use in {"best", "last"} and self.epochs:
            raise ValueError(f"use {self.use} takes one checkpoint: set use to all, or epochs to []")
        return self


class AttributionOptions(Base):
    """Which gradients are compared, and how."""

    renamed: ClassVar = {
        "unit": "attribution_unit",
        "measure": "output_fn",
        "precondition": "preconditioner",
        "normalise": "normalization",
        "projection": "projection_dim",
    }
    renamed_values: ClassVar = {"method": {"backward": "autograd"}, "output_fn": {"part": "training_loss"}}

    attribution_unit: Literal["removal", "share", "row", "positive"] = Field(
        description="part of the training loss that belongs to a training triple: what its removal changes, an equal "
        "share of its rows of the loss, the whole rows, or the term of its own answer"
    )
    output_fn: Literal["loss", "training_loss", "score"] = Field(
        description="model output function of a query triple: its own loss, its attribution unit as if it were a "
        "training triple, or minus its score"
    )
    layers: list[str] = Field(description="names of the model's parameters that are compared; []: all")
    preconditioner: Literal["none", "factored", "exact"] = Field(
        description="weight gradients by the state of Adam or Adagrad: not at all, by a rank-one approximation per "
        "matrix, or element by element (small graphs)"
    )
    normalization: Literal["none", "cosine"] = Field(
        description="cosine divides each influence by the lengths of both gradients"
    )
    projection_dim: int = Field(ge=0, description="dimensions of a random projection of gradients; 0: no projection")
    hessian: Literal["auto", "none", "empirical_fisher"] = Field(
        description="curvature by whose inverse influences are multiplied, so that training triples which say the same "
        "share their influence: none (TracIn), or the empirical Fisher matrix of the training triples, from their "
        "influences on each other; auto takes the latter up to 10,000 training triples"
    )
    damping: float = Field(
        gt=0, description="added to the Fisher matrix, as a multiple of the mean self-influence of training triples"
    )
    method: Literal["closed_form", "autograd"] = Field(
        description="closed_form computes dot products from factors; autograd runs one backward pass per triple"
    )
    seed: int = Field(ge=0, description="seed of projections, path permutations and validation studies")

    @model_validator(mode="after")
    def _fits(self) -> AttributionOptions:
        transformed = self.projection_dim > 0 or self.normalization == "cosine"
        if self.preconditioner == "exact" and transformed:
            raise ValueError(
                "preconditioner exact works on plain dot products only: set normalization to none and projection_dim "
                "to 0, or use factored"
            )
        plain = self.preconditioner == "none" and not transformed and self.hessian != "empirical_fisher"
        if self.method == "autograd" and not plain:
            raise ValueError(
                "method autograd computes plain dot products: set preconditioner, normalization and hessian to none "
                "and projection_dim to 0"
            )
        return self


class ScoringOptions(Base):
    """How influence scores are computed."""

    renamed: ClassVar = {"top": "top_k", "memory_cleanup": "cleanup"}

    top_k: int = Field(gt=0, description="proponents, and as many opponents, kept per query triple")
    batch_size: int = Field(gt=0, description="query triples scored together")
    block_mb: int = Field(gt=0, description="memory for a block of training triples, in MB")
    self_influence: bool = Field(description="also write the self-influence of every training triple")
    precision: Precision = Field(description="floating-point precision of gradients")
    device: str = Field(description="auto, cpu, cuda, cuda:N or mps")
    gradient_checkpointing: bool = Field(
        description="method autograd: recompute the query embedding in the backward pass instead of keeping it"
    )
    cleanup: bool = Field(description="release cached GPU memory at intervals")
    cleanup_interval: int = Field(gt=0, description="blocks (autograd: triples) between two cleanups")


class PathOptions(Base):
    """Paths between the head and the tail of a query triple, ranked by influence."""

    renamed: ClassVar = {
        "length": "max_length",
        "triples": "num_queries",
        "most": "top_k",
        "permutations": "num_permutations",
    }

    max_length: int = Field(ge=1, le=3, description="largest number of edges of a path")
    degree_damping: float = Field(
        ge=0,
        description="exponent by which inner entities with many neighbours count less, for each edge at them "
        "(Himmelstein and Baranzini 2015); 0: not at all",
    )
    num_queries: int = Field(ge=0, description="search paths for the first so many query triples; 0: none")
    top_k: int = Field(gt=0, description="paths kept per query triple")
    num_permutations: int = Field(ge=0, description="permutations of the permutation test; 0: no p-value")


class ValidationOptions(Base):
    """Retrainings of the pipeline influence_validation."""

    renamed: ClassVar = {
        "checkpoints": "num_checkpoints",
        "subsets": "num_subsets",
        "left_out": "subset_dropout",
        "removed": "removal_sizes",
        "planted": "label_noise",
        "tested": "num_queries",
        "deletion_tested": "num_deletion_queries",
    }
    renamed_values: ClassVar = {"split": {"valid": "validation"}}

    epochs: int = Field(ge=0, description="epochs of each retraining; 0: up to the best epoch of the model")
    num_checkpoints: int = Field(gt=0, description="evenly spaced checkpoints of a retraining, for its influence")
    num_subsets: int = Field(
        gt=1, description="linear datamodeling score: random subsets, each retrained on from every seed"
    )
    subset_dropout: float = Field(
        gt=0, lt=1, description="linear datamodeling score: probability that a subset lacks a triple"
    )
    removal_sizes: list[PositiveInt] = Field(min_length=1, description="deletion: numbers of top proponents to remove")
    label_noise: float = Field(gt=0, lt=1, description="mislabelled triples added, as a fraction of training triples")
    split: Literal["test", "validation"] = Field(description="split that query triples are drawn from")
    num_queries: int = Field(gt=0, description="linear datamodeling score: number of query triples")
    num_deletion_queries: int = Field(gt=0, description="deletion: number of query triples")
    seeds: list[NonNegativeInt] = Field(min_length=1, description="seeds of the retrainings")

    @model_validator(mode="after")
    def _can_be_compared(self) -> ValidationOptions:
        for name, values in (("seeds", self.seeds), ("removal_sizes", self.removal_sizes)):
            if len(set(values)) < len(values):
                raise ValueError(f"{name} {values} has a number twice: give each once")
        if self.num_subsets < MIN_SUBSETS_PER_SEED * len(self.seeds):
            raise ValueError(
                f"{self.num_subsets} subsets for {len(self.seeds)} seeds leave a seed fewer than "
                f"{MIN_SUBSETS_PER_SEED} retrainings, which cannot be ranked: raise num_subsets, or give fewer seeds"
            )
        return self


class ReportingOptions(Base):
    """What the report shows."""

    renamed: ClassVar = {"triples": "num_queries", "edges": "num_proponents"}

    num_queries: int = Field(gt=0, description="query triples shown one by one")
    num_proponents: int = Field(gt=0, description="proponents in a figure and a table")


class Options(Base):
    """Parameters of the family."""

    renamed: ClassVar = {
        "source": "queries",
        "model.checkpoints": "checkpoints",
        "model": "checkpoints",
        "features": "attribution",
        "evaluation.paths": "paths",
        "evaluation": "scoring",
        "training": "validation",
    }

    queries: QueryOptions
    checkpoints: CheckpointOptions
    attribution: AttributionOptions
    scoring: ScoringOptions
    paths: PathOptions
    validation: ValidationOptions
    reporting: ReportingOptions
