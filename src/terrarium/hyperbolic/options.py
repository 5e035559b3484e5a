"""Typed parameters of the hyperbolic family, branch by branch; the defaults stand in its parameter file."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from terrarium.common.options import Options as Base
from terrarium.hyperbolic.geometry.precision import SAFE_RADIUS_FLOAT64
from terrarium.hyperbolic.layouts.initial import Initialisation
from terrarium.hyperbolic.layouts.targets import RadiusSchedule
from terrarium.hyperbolic.legacy.options import DenseOptions
from terrarium.hyperbolic.pair_options import Curriculum, DepthMargin, NegativeSampler, PairSet, check_curriculum
from terrarium.hyperbolic.training.objectives import Objective
from terrarium.training.options import FitOptions


class SourceOptions(Base):
    """What to embed."""

    kind: Literal["auto", "package", "table", "taxdump", "obo", "wordnet_nouns", "wordnet_verbs"] = Field(
        description="what the source is; auto goes by the path"
    )
    path: str | None = Field(description="file, folder or address of the source; null: NCBI's package")
    select: Literal["clade", "lowest_taxids", "all"] = Field(description="which part of the source")
    clade: int | str = Field(description="scientific name or id, for select: clade")
    count: int = Field(gt=0, description="how many ids, for select: lowest_taxids; their ancestors come on top")
    max_depth: int | None = Field(gt=0, description="levels below the root; null: all")
    clean: bool = Field(description="drop leaves that name no described taxon, see docs/hyperbolic.md")
    extra_noise: list[str] = Field(description="further regular expressions for the noise filter")
    several_parents: bool = Field(
        description="an id may have several rows, one a parent; the first is its first parent"
    )
    virtual_root: int | None = Field(ge=0, lt=2**31, description="unused id of a root to put above several roots")
    cut_lineages_above: int | None = Field(
        ge=0, description="keep only pairs of ids up to this one (the documents' data fault); null: all pairs"
    )

    @model_validator(mode="after")
    def _cut_a_tree(self) -> SourceOptions:
        if self.several_parents and self.cut_lineages_above is not None:
            raise ValueError("cut_lineages_above goes with a tree: set several_parents to false")
        return self

    @field_validator("extra_noise")
    @classmethod
    def _compiles(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression ({error})") from error
        return patterns


class FeatureOptions(Base):
    """Target radii by depth."""

    radius_schedule: RadiusSchedule
    root_norm: float = Field(ge=0, lt=1, description="Euclidean norm wanted at depth 0")
    leaf_norm: float = Field(gt=0, lt=1, description="Euclidean norm wanted at the deepest level")

    @model_validator(mode="after")
    def _outward(self) -> FeatureOptions:
        if self.leaf_norm <= self.root_norm:
            raise ValueError("leaf_norm must be larger than root_norm")
        return self


class ModelOptions(Base):
    """The table of points and its start."""

    dim: int = Field(ge=2, description="dimension of the ball")
    init: Initialisation = Field(
        description="inherited: the parent's direction plus a step; constructed; random, uniform: independent"
    )
    spread: float = Field(gt=0, description="length of the step below depth 3, for init: inherited")
    max_radius: float = Field(
        gt=0, le=SAFE_RADIUS_FLOAT64, description="largest hyperbolic radius; float64 is exact to 34"
    )
    seed: int = Field(ge=0)


class TrainingOptions(FitOptions):
    """The objective and its optimiser."""

    objective: Objective = Field(
        description="slack, closure, ranking, fine-tune, or construct (no training), see docs/hyperbolic.md"
    )
    temperature: float = Field(gt=0, description="factor on the score, for slack, closure and fine-tune")
    pull: float = Field(ge=0, description="how strongly an ancestor's own slack or distance counts; not for ranking")
    stretch: float = Field(ge=0, description="for fine-tune: how strongly distances shall be as long as the paths")
    margin: float = Field(ge=0, description="for ranking")
    negatives: int = Field(gt=0, description="negatives a pair")
    near_negatives: int = Field(ge=0, description="of them, children of near ancestors; not for ranking")
    near_ancestors: int = Field(gt=0, description="how many of the nearest ancestors those come from")
    negative_sampler: NegativeSampler = Field(
        description="outside the taxon's line; non_ancestors; or, for ranking, as documented"
    )
    pairs: PairSet = Field(description="closure: of all ancestors; parent_child: of parents alone")
    curriculum: Curriculum = Field(description="phases of the largest depth difference; []: none")
    epoch_fraction: float = Field(gt=0, le=1, description="share of the pairs of each depth difference in an epoch")
    class_balanced: bool = Field(description="as many pairs of each ancestor at depth 1")
    class_weights: bool = Field(description="factor of a pair: min(sqrt(largest class / its descendant's), 10)")
    depth_margin: DepthMargin | None = Field(description="margin by depth difference, for ranking; null: margin")
    pair_weights: Literal["uniform", "sqrt_depth"] = Field(description="sqrt_depth: sqrt(depth difference + 1)")
    regulariser: float = Field(ge=0, description="strength of the pull of radii to their targets")
    train_radius: bool = Field(description="false keeps the radii at their targets and trains directions alone")
    optimiser: Literal["riemannian_adam", "riemannian_sgd", "dense_adam"] = Field(
        description="riemannian_adam; riemannian_sgd: plain descent; dense_adam: the documents', for ranking"
    )
    dense: DenseOptions
    batch_size: int = Field(gt=0)
    learning_rate: float = Field(
        gt=0, description="length of the first steps, in hyperbolic units; of riemannian_sgd the factor on the gradient"
    )
    learning_rate_end: float = Field(gt=0, description="the same in the last epoch; geometric in between")
    burn_in_epochs: int = Field(ge=0, description="first epochs, with burn_in_factor on the learning rate")
    burn_in_factor: float = Field(gt=0, le=1, description="factor on the learning rate in them")
    threads: int = Field(gt=0, description="of the compiled kernel; more than one are lock-free and not reproducible")
    device: str = Field(description="cpu (compiled kernel), cuda, cuda:N, mps, or auto: cuda if there is one, else cpu")
    seed: int = Field(ge=0)

    @model_validator(mode="after")
    def _near_fit(self) -> TrainingOptions:
        if self.near_negatives > self.negatives:
            raise ValueError(f"near_negatives {self.near_negatives} is more than negatives {self.negatives}")
        return self

    @model_validator(mode="after")
    def _ranking_alone(self) -> TrainingOptions:
        """What is stated for the ranking loss alone."""
        asked = {
            "optimiser dense_adam": self.optimiser == "dense_adam",
            f"negative_sampler {self.negative_sampler}": self.negative_sampler in {"same_depth", "random", "tiered"},
            "depth_margin": self.depth_margin is not None,
        }
        if self.negative_sampler == "non_ancestors" and (self.objective == "ranking" or self.near_negatives > 0):
            raise ValueError(
                "negative_sampler non_ancestors goes with objective closure or slack and near_negatives 0, since it "
                "draws from all taxa alike"
            )
        for name, given in asked.items():
            if given and self.objective != "ranking":
                raise ValueError(f"{name} goes with objective ranking alone, not {self.objective}")
        return self

    @model_validator(mode="after")
    def _fine_tune_fits(self) -> TrainingOptions:
        if self.objective == "fine-tune" and (self.regulariser > 0 or not self.train_radius):
            raise ValueError(
                "objective fine-tune starts at the radii of the construction, not at target radii: set regulariser to "
                "0 and train_radius to true"
            )
        return self

    @model_validator(mode="after")
    def _dense_fit(self) -> TrainingOptions:
        if self.optimiser == "dense_adam" and self.device not in {"cpu", "auto"}:
            raise ValueError(f"optimiser dense_adam runs on the CPU alone, not {self.device}: set device to cpu")
        if self.optimiser == "dense_adam" and not self.train_radius:
            raise ValueError("optimiser dense_adam trains coordinates and cannot hold radii: set train_radius to true")
        return self

    @model_validator(mode="after")
    def _threads_fit(self) -> TrainingOptions:
        if self.threads > 1 and (self.optimiser == "dense_adam" or self.device not in {"cpu", "auto"}):
            raise ValueError(
                "threads are for the compiled kernel (device cpu, a riemannian optimiser): set threads to 1"
            )
        return self

    @model_validator(mode="after")
    def _curriculum_fit(self) -> TrainingOptions:
        check_curriculum(self.curriculum)
        if self.curriculum and self.pairs == "parent_child":
            raise ValueError("pairs parent_child have one depth difference: set curriculum to []")
        return self


class EvaluationOptions(Base):
    """How the layouts are measured."""

    exact_limit: int = Field(gt=0, description="up to this many taxa every taxon is a query, beyond it a sample")
    queries: int = Field(gt=0, description="queries of a sample, and of the untrained layouts")
    undirected: bool = Field(description="rank ancestors and descendants together, too, by distance")
    distortion_pairs: int = Field(gt=0, description="pairs whose distances are compared with hops, at most")
    neighbours: int = Field(gt=0, description="k of the nearest-neighbour purity")
    purity_sample: int = Field(gt=1, description="taxa among which neighbours are searched, at most")
    group_min: int = Field(gt=1, description="smallest group that separation counts")
    group_sample: int = Field(gt=1, description="members of a group that separation samples, at most")
    ranks: list[str] = Field(min_length=1, description="ranks at which taxa are grouped")
    seed: int = Field(ge=0)


class WithheldOptions(Base):
    """What the pipelines hyperbolic_placement and hyperbolic_links keep out of training."""

    leaf_share: float = Field(ge=0, lt=1, description="share of the leaves to place, for hyperbolic_placement")
    clade_share: float = Field(ge=0, lt=1, description="share of the taxa to keep out in whole clades, for the same")
    clade_size: int = Field(gt=1, description="largest clade to keep out")
    placed: int = Field(gt=0, description="how many leaves and clades are placed, at most; the rest is only kept out")
    link_share: float = Field(
        gt=0,
        lt=0.5,
        description="share of the pairs beyond the links for validation, and for test; for hyperbolic_links",
    )
    link_train_share: float = Field(ge=0, lt=1, description="share of them that is trained on")
    link_corruptions: int = Field(gt=0, description="false pairs for each end of a true one")
    seed: int = Field(ge=0)


class ReportingOptions(Base):
    """What the figures show."""

    disk_points: int = Field(gt=0, description="taxa drawn in the disk, at most")
    scatter_points: int = Field(gt=0, description="taxa drawn in radius against depth, at most")
    disk_rank: str = Field(description="rank that colours the disk")
    disk_groups: int = Field(gt=0, description="largest groups with a colour of their own")


class Options(Base):
    """The family's tree of parameters."""

    source: SourceOptions
    features: FeatureOptions
    model: ModelOptions
    training: TrainingOptions
    evaluation: EvaluationOptions
    withheld: WithheldOptions
    reporting: ReportingOptions
