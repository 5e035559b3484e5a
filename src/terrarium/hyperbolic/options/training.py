"""Options of training: loss, sampler, optimizer and schedule."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from terrarium.common.options import Options
from terrarium.hyperbolic.options.by_loss import with_settings
from terrarium.training.options import ScheduledFitOptions

LossName = Literal["joint", "detour", "distance_softmax", "margin_ranking", "construct"]
NegativeSampler = Literal["true_negatives", "non_ancestors", "same_depth", "random", "tiered"]


class DepthMargin(Options):
    """A margin that grows linearly with the depth difference."""

    min: float = Field(ge=0, description="margin at depth difference 0")
    max: float = Field(ge=0, description="margin at a depth difference equal to the depth of the tree")


class LossOptions(Options):
    """The loss of a pair of a descendant u and its ancestor a, with negatives v.

    The detour of v seen from u is r_v + d(u, v) - r_u, r the distance from the origin: how much longer the way from u
    to the origin becomes through v. It equals 2 (r_v - Gromov product of u and v at the origin), and is 0 exactly
    where v is on the geodesic from the origin to u.
    """

    renamed: ClassVar[Mapping[str, str]] = {"distortion_weight": "stress_weight"}
    renamed_values: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "name": {
            "slack": "detour",
            "closure": "distance_softmax",
            "ranking": "margin_ranking",
            "fine-tune": "joint",
            "fine_tune": "joint",
        }
    }

    name: LossName = Field(
        description="ancestors, edges and path lengths together (joint); softmax over detours r_v + d(u, v) - r_u "
        "(detour) or distances (distance_softmax); hinge (margin_ranking); no training (construct)"
    )
    temperature: float = Field(
        gt=0, description="divides the detours or distances in the softmax; not for margin_ranking; auto: by loss"
    )
    positive_weight: float = Field(
        ge=0, description="weight of the ancestor's own detour or distance; not for margin_ranking; auto: by loss"
    )
    edge_weight: float = Field(ge=0, description="weight of the softmax of parents by distance, for joint")
    stress_weight: float = Field(
        ge=0, description="weight of the squared error of distances against path lengths, for joint"
    )
    margin: float = Field(ge=0, description="hyperbolic distance, for margin_ranking")
    depth_margin: DepthMargin | None = Field(
        description="margin by depth difference (min, max), for margin_ranking; null uses margin"
    )
    radius_penalty: float = Field(
        ge=0,
        description="weight of the squared distance of radii from their targets; for train_radius: true; auto: by loss",
    )
    pair_weights: Literal["uniform", "sqrt_depth"] = Field(
        description="weight of a pair: 1 (uniform) or sqrt(depth difference + 1) (sqrt_depth)"
    )
    class_weights: bool = Field(
        description="weigh a pair by min(sqrt(largest class / class of its descendant), 10), classes at depth 1"
    )


class Phase(Options):
    """From an epoch on, train the pairs up to a depth difference."""

    epoch: int = Field(ge=1, description="first epoch of the phase")
    max_difference: int | None = Field(ge=1, description="largest depth difference; null: any")


Curriculum = Literal["auto"] | list[Phase]


class SamplerOptions(Options):
    """Which pairs an epoch trains, and their negatives."""

    renamed_values: ClassVar[Mapping[str, Mapping[str, str]]] = {"negative_sampler": {"outside": "true_negatives"}}

    pairs: Literal["closure", "parent_child"] = Field(description="pairs of all ancestors, or of parents only")
    curriculum: Curriculum = Field(
        description="phases, each with an epoch and a max_difference (depth difference or null); auto; [] for none"
    )
    epoch_fraction: float = Field(
        gt=0, le=1, description="fraction of the pairs of each depth difference drawn per epoch"
    )
    class_balanced: bool = Field(description="draw equally many pairs per class, classes being subtrees at depth 1")
    num_negatives: int = Field(gt=0, description="negatives per pair")
    hard_negatives: int = Field(
        ge=0, description="how many of them are children of near ancestors; not for margin_ranking; auto: by loss"
    )
    hard_negative_ancestors: int = Field(gt=0, description="how many of the nearest ancestors those come from")
    edge_negatives: int = Field(
        gt=0, description="short random walks in the tree whose ends are further negatives of an edge, for joint"
    )
    negative_sampler: NegativeSampler = Field(
        description="taxa that are neither ancestors nor descendants (true_negatives), or all but the ancestors "
        "(non_ancestors); for margin_ranking true_negatives of one depth, or legacy: same_depth, random, "
        "tiered; auto: by loss"
    )

    @model_validator(mode="after")
    def _check_hard_negatives(self) -> SamplerOptions:
        if self.hard_negatives > self.num_negatives:
            raise ValueError(
                f"hard_negatives {self.hard_negatives} is more than num_negatives {self.num_negatives}: "
                "they are among them"
            )
        return self

    @field_validator("curriculum")
    @classmethod
    def _check_phases(cls, curriculum: Curriculum) -> Curriculum:
        if curriculum != "auto" and curriculum:
            starts = [phase.epoch for phase in curriculum]
            if starts[0] != 1 or any(later <= earlier for earlier, later in pairwise(starts)):
                raise ValueError(f"curriculum must begin with epoch 1 and rise, not {starts}")
        return curriculum


class LegacyAdamOptions(Options):
    """How legacy_adam, torch's Adam over all rows in every batch, clips gradients and holds rows in the ball."""

    renamed: ClassVar[Mapping[str, str]] = {"parametrisation": "parametrization"}
    renamed_values: ClassVar[Mapping[str, Mapping[str, str]]] = {"parametrization": {"tanh": "tangent_space"}}

    clip_norm: float = Field(
        ge=0, allow_inf_nan=False, description="largest norm of the gradient of the whole table; 0 does not clip"
    )
    projection: Literal["batch_rows", "schedule_as_written", "schedule_corrected", "all_rows"] = Field(
        description="rows that are scaled back to the limit after a batch; the schedules project batch_rows with a "
        "limit that loosens (schedule_as_written) or tightens (schedule_corrected) by the epoch"
    )
    projection_limit: float = Field(gt=0, lt=1, description="largest Euclidean norm after the projection")
    project_all_every: int = Field(ge=0, description="also project all rows every k-th batch; 0 never does")
    parametrization: Literal["ball", "tangent_space"] = Field(
        description="rows are ball coordinates, or log-map coordinates at the origin, which are never projected"
    )
    radial_nudge: float = Field(
        ge=0, lt=1, description="fraction of the way to its target by which a batch's row is moved after each step"
    )

    @model_validator(mode="after")
    def _check_projection(self) -> LegacyAdamOptions:
        if self.parametrization == "tangent_space" and self.project_all_every:
            raise ValueError("parametrization tangent_space is never projected: set project_all_every to 0")
        return self


class OptimizerOptions(Options):
    """How points move."""

    renamed_values: ClassVar[Mapping[str, Mapping[str, str]]] = {"name": {"dense_adam": "legacy_adam"}}

    name: Literal["riemannian_adam", "riemannian_sgd", "legacy_adam"] = Field(
        description="Riemannian Adam or SGD on the rows of a batch; legacy_adam: Adam on all rows, for margin_ranking; "
        "auto: by loss"
    )
    learning_rate: float = Field(
        gt=0,
        description="step length in hyperbolic units; for riemannian_sgd the factor of the gradient; auto: by loss",
    )
    train_radius: bool = Field(
        description="false keeps radii at their targets and trains directions only; auto: by loss"
    )
    legacy_adam: LegacyAdamOptions


class ScheduleOptions(Options):
    """How the learning rate changes: geometrically by the epoch, lower in the burn-in (Nickel and Kiela 2017)."""

    final_learning_rate: float = Field(gt=0, description="learning rate of the last epoch; auto: by loss")
    burn_in_epochs: int = Field(ge=0, description="number of first epochs with a lower learning rate")
    burn_in_factor: float = Field(gt=0, le=1, description="factor of the learning rate in these epochs")


class TrainingOptions(ScheduledFitOptions):
    """The loss and how it is minimised."""

    renamed: ClassVar[Mapping[str, str]] = {
        "objective": "loss.name",
        "temperature": "loss.temperature, which divides: 1 / the old value",
        "pull": "loss.positive_weight",
        "stretch": "loss.stress_weight",
        "margin": "loss.margin",
        "depth_margin": "loss.depth_margin",
        "regulariser": "loss.radius_penalty",
        "pair_weights": "loss.pair_weights",
        "class_weights": "loss.class_weights",
        "pairs": "sampler.pairs",
        "curriculum": "sampler.curriculum",
        "epoch_fraction": "sampler.epoch_fraction",
        "class_balanced": "sampler.class_balanced",
        "negatives": "sampler.num_negatives",
        "near_negatives": "sampler.hard_negatives",
        "near_ancestors": "sampler.hard_negative_ancestors",
        "negative_sampler": "sampler.negative_sampler",
        "optimiser": "optimizer.name",
        "learning_rate": "optimizer.learning_rate",
        "train_radius": "optimizer.train_radius",
        "dense": "optimizer.legacy_adam",
        "learning_rate_end": "schedule.final_learning_rate",
        "burn_in_epochs": "schedule.burn_in_epochs",
        "burn_in_factor": "schedule.burn_in_factor",
    }

    loss: LossOptions
    sampler: SamplerOptions
    optimizer: OptimizerOptions
    schedule: ScheduleOptions
    batch_size: int = Field(gt=0, description="pairs per batch; auto: by loss")
    max_epochs: int = Field(ge=0, description="largest number of epochs; 0 exports the initial weights; auto: by loss")
    skip_above: float = Field(
        gt=0,
        le=1,
        description="train nothing where the start already reaches this MAP: by detour and of edges for joint, by "
        "distance for distance_softmax; trees without link lengths only; 1 always trains",
    )
    threads: int = Field(
        gt=0, description="threads of the compiled kernel; more than one are faster, lock-free and not reproducible"
    )
    device: str = Field(description="cpu (compiled kernel), cuda, cuda:N, mps, or auto: cuda if there is one, else cpu")
    seed: int = Field(ge=0, description="seed of the order of pairs and of the negatives")

    @model_validator(mode="before")
    @classmethod
    def _settle(cls, values: Any) -> Any:
        return with_settings(values) if isinstance(values, Mapping) else values

    @model_validator(mode="after")
    def _check_loss(self) -> TrainingOptions:
        loss, sampler, optimizer = self.loss, self.sampler, self.optimizer
        if sampler.negative_sampler == "non_ancestors" and (loss.name == "margin_ranking" or sampler.hard_negatives):
            raise ValueError(
                "sampler.negative_sampler non_ancestors needs loss distance_softmax or detour and hard_negatives 0, "
                "since it draws from all taxa alike"
            )
        needs_ranking = {
            "optimizer legacy_adam": optimizer.name == "legacy_adam",
            f"negative_sampler {sampler.negative_sampler}": sampler.negative_sampler in _LEGACY_SAMPLERS,
            "depth_margin": loss.depth_margin is not None,
        }
        for name, is_set in needs_ranking.items():
            if is_set and loss.name != "margin_ranking":
                raise ValueError(f"{name} needs loss margin_ranking, not {loss.name}")
        return self

    @model_validator(mode="after")
    def _check_device(self) -> TrainingOptions:
        is_legacy, on_cpu = self.optimizer.name == "legacy_adam", self.device in {"cpu", "auto"}
        if is_legacy and not on_cpu:
            raise ValueError(f"optimizer legacy_adam runs on the CPU only, not {self.device}: set device to cpu")
        if is_legacy and not self.optimizer.train_radius:
            raise ValueError(
                "optimizer legacy_adam trains coordinates and cannot hold radii: set optimizer.train_radius to true"
            )
        if self.threads > 1 and (is_legacy or not on_cpu):
            raise ValueError(
                "threads is for the compiled kernel (device cpu, a Riemannian optimizer): set threads to 1"
            )
        if self.sampler.curriculum and self.sampler.pairs == "parent_child":
            raise ValueError("sampler.pairs parent_child has one depth difference: set sampler.curriculum to []")
        return self


_LEGACY_SAMPLERS = {"same_depth", "random", "tiered"}
