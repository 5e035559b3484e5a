"""Typed options of the scenes family, one model per block; the defaults are in its parameter file."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from terrarium.common.options import FilePath
from terrarium.common.options import Options as Base
from terrarium.scenes.source_options import RecordingOptions, SourceOptions
from terrarium.training.options import PrecisionOptions, ScheduledFitOptions

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=0)]
LATER_S, LATER_TOLERANCE_S = 1.0, 0.25
"""A temporal positive is the same group of road users this many seconds later."""


class GraphOptions(Base):
    """How a scene becomes graphs."""

    renamed: ClassVar = {
        "lead_m": "max_lead_m",
        "neighbour_m": "max_neighbor_m",
        "opposite_ahead_m": "max_opposite_ahead_m",
        "opposite_behind_m": "max_opposite_behind_m",
        "lead_path": "redundant_lead_hops",
        "neighbour_path": "redundant_neighbor_hops",
        "opposite_path": "redundant_opposite_hops",
        "lanes_passed": "max_lanes_passed",
        "smallest": "min_nodes",
    }

    interval_s: float = Field(gt=0, description="time between snapshots, in seconds; the first snapshot is left out")
    max_lead_m: float = Field(gt=0, description="longest distance along the lanes to a vehicle ahead, in metres")
    max_neighbor_m: float = Field(gt=0, description="longest distance to a vehicle on an adjacent lane, in metres")
    max_opposite_ahead_m: float = Field(gt=0, description="longest distance to opposite traffic ahead, in metres")
    max_opposite_behind_m: float = Field(
        ge=0, description="longest distance to opposite traffic that has passed, in metres"
    )
    redundant_lead_hops: int = Field(
        ge=0, description="omit a following relation if a path of at most this many relations joins its ends"
    )
    redundant_neighbor_hops: int = Field(ge=0, description="as redundant_lead_hops, for neighbour relations")
    redundant_opposite_hops: int = Field(ge=0, description="as redundant_lead_hops, for opposite relations")
    max_lanes_passed: int = Field(
        ge=1, description="a lane that follows the one before within this many lanes is no lane change"
    )
    places: list[Literal["lane", "parked", "off_lane"]] = Field(
        min_length=1,
        description="which road users are nodes: those on a lane, parked next to it, too far away from every lane",
    )
    min_nodes: int = Field(ge=1, description="fewest road users of a graph; 1 keeps road users without relations")


class FeatureOptions(Base):
    """Graphs, their encoding as numbers, and the split of the scenes."""

    renamed: ClassVar = {
        "scaled": "standardize",
        "relations": "relation_encoding: strict is now one_hot",
        "validation_share": "val_fraction",
        "test_share": "test_fraction",
        "test_only": "test_only_sources",
    }

    graphs: GraphOptions
    archetypes_path: FilePath | None = Field(
        description="YAML file of the archetypes that the evaluation predicts; null: the 24 of the project"
    )
    tags_path: FilePath | None = Field(
        description="YAML file of further tags, which coverage and the report show; null: those of critical situations"
    )
    standardize: bool = Field(description="scale speeds and path lengths by training mean and standard deviation")
    relation_encoding: Literal["one_hot", "collapsed"] = Field(
        description="collapsed: leading and following share the slot of neighbour"
    )
    val_fraction: float = Field(gt=0, lt=0.5, description="fraction of the scenes of each source for validation")
    test_fraction: float = Field(gt=0, lt=0.5, description="fraction of the scenes of each source for the test")
    test_only_sources: list[str] = Field(description="sources whose scenes are all test scenes")
    seed: int = Field(ge=0, description="seed of the split")


class ModelOptions(Base):
    """The graph encoder."""

    renamed: ClassVar = {
        "hidden": "hidden_channels",
        "layers": "num_layers",
        "head": "projection_dim, a number: full was dim, half was dim / 2",
        "normalised": "l2_normalize",
        "readout": "jumping_knowledge: all is now cat",
        "export": "output",
    }
    renamed_values: ClassVar = {"output": {"contexts": "graphlets"}}

    dim: int = Field(gt=0, description="dimension of the embedding")
    hidden_channels: int = Field(gt=0, description="width of each GINE layer")
    num_layers: int = Field(gt=0, description="number of GINE layers")
    dropout: float = Field(ge=0, lt=1, description="dropout probability")
    projection_dim: int = Field(gt=0, description="dimension of the projection that the loss compares")
    l2_normalize: bool = Field(description="scale embeddings to length 1")
    jumping_knowledge: Literal["last", "cat"] = Field(
        description="pool the last layer only, or concatenate the pools of all"
    )
    output: Literal["graphlets", "embedding", "readout"] = Field(
        description="exported vector; graphlets: counts of situations, not learned; readout: the pooled layers"
    )
    seed: int = Field(ge=0, description="seed of the initial weights")


class AugmentationOptions(Base):
    """Random changes that turn a graph into a view."""

    renamed: ClassVar = {
        "views": "apply_to",
        "drop_edge": "edge_drop_prob",
        "drop_in_pairs": "drop_edge_pairs",
        "drop_node": "node_drop_prob",
        **dict.fromkeys(
            ("subgraph", "subgraph_fraction", "mask_features", "feature_mask_prob"),
            "was removed: no recipe used it",
        ),
        "temporal": "temporal_positive_prob",
    }

    apply_to: Literal["both", "second"] = Field(description="which of the two views are changed")
    node_noise: float = Field(ge=0, description="standard deviation of the noise on speeds, in feature units")
    edge_noise: float = Field(ge=0, description="standard deviation of the noise on path lengths, in feature units")
    edge_drop_prob: float = Field(ge=0, lt=1, description="probability that an edge is dropped")
    drop_edge_pairs: bool = Field(description="drop both directions of a relation together")
    node_drop_prob: float = Field(ge=0, lt=1, description="probability that a node is dropped")
    temporal_positive_prob: float = Field(
        ge=0, le=1, description="probability that the second view is the same group one second later"
    )


class LossOptions(Base):
    """The loss of two views."""

    renamed: ClassVar = dict.fromkeys(
        (
            *("variance_weight", "invariance_weight", "covariance_weight", "target_momentum", "momentum"),
            *("mask_fraction", "mask_share", "reconstruction_weight"),
        ),
        "was removed: the losses are nt_xent and info_nce",
    )

    name: Literal["nt_xent", "info_nce"] = Field(description="info_nce: one-sided nt_xent (SimCLR)")
    temperature: float = Field(gt=0, description="divides the cosine similarities")
    mask_same_scene: bool = Field(description="exclude graphs of the same scene from the negatives")
    context_weight: float = Field(ge=0, description="weight of an added loss: predict each node's context (GROVER)")


class OptimizerOptions(Base):
    """How parameters are updated."""

    name: Literal["adamw", "adam"] = Field(description="torch.optim.AdamW or torch.optim.Adam")
    learning_rate: float = Field(gt=0, description="peak learning rate")
    weight_decay: float = Field(ge=0, description="weight decay: decoupled for adamw, an L2 penalty for adam")
    clip_norm: float = Field(ge=0, allow_inf_nan=False, description="largest norm of the gradient; 0 does not clip")


class ScheduleOptions(Base):
    """How the learning rate changes."""

    renamed: ClassVar = {
        "kind": "warm_restarts: true for loops, false for step",
        "floor": "min_lr_ratio",
        "epochs_per_loop": "cycle_epochs",
        "decay": "restart_decay",
    }

    warm_restarts: bool = Field(
        description="restart optimizer and cosine every `cycle_epochs`, with one rate per epoch; else one per step"
    )
    warmup_epochs: int = Field(ge=0, description="epochs of linear warm-up; 0 starts at the peak")
    cosine: bool = Field(description="decay along a cosine; otherwise the rate is constant after the warm-up")
    min_lr_ratio: float = Field(ge=0, le=1, description="final rate of the cosine as a fraction of its peak")
    cycle_epochs: int = Field(gt=0, description="epochs between warm restarts")
    restart_decay: float = Field(gt=0, le=1, description="factor on the peak rate at every warm restart")


class TrainingOptions(ScheduledFitOptions, PrecisionOptions):
    """Loss, augmentation, optimizer and schedule."""

    renamed: ClassVar = {
        "objective": "loss",
        "schedule.learning_rate": "optimizer.learning_rate",
        "weight_decay": "optimizer.weight_decay",
        "clip_norm": "optimizer.clip_norm",
    }

    loss: LossOptions
    augmentation: AugmentationOptions
    optimizer: OptimizerOptions
    schedule: ScheduleOptions
    batch_size: int = Field(gt=1, description="graphs per batch")
    seed: int = Field(ge=0, description="seed of batches, augmentations and dropout")


class CoverageOptions(Base):
    """What the simulated scenes lack of the recorded ones."""

    renamed: ClassVar = {
        "neighbours": "num_neighbors",
        "permutations": "num_permutations",
        "false_alarms": "target_fpr",
        "halvings": "num_random_splits",
        "strength": "C",
        "user_strength": "node_C",
    }

    simulated: str = Field(description="source that may lack something")
    recorded: str | None = Field(
        description="source to compare it with; null: the recording, or the simulator's stand-in without one"
    )
    detector: Literal["combination", "patterns", "road_users", "embedding", "neighbors"] = Field(
        description="what ranks recorded graphs; combination: patterns, road users and graphlets, without training"
    )
    alarm_fraction: float = Field(
        gt=0, lt=1, description="fraction of graphs that would count as gaps if the sources did not differ"
    )
    num_neighbors: int = Field(gt=0, description="k of the k-nearest-neighbour distances")
    num_permutations: int = Field(gt=0, description="permutations of scenes between the sources, for p-values")
    target_fpr: float = Field(gt=0, lt=1, description="false positive rate of the deletion test")
    num_random_splits: int = Field(gt=0, description="random splits of the simulated scenes in the deletion test")
    C: float = Field(gt=0, description="inverse regularization strength of classifiers of graphs")
    node_C: float = Field(gt=0, description="inverse regularization strength of classifiers of road users")


class EvaluationOptions(Base):
    """How embeddings are measured."""

    renamed: ClassVar = {
        "part": "split",
        "smallest_class": "min_positives",
        "queries": "max_queries",
        "neighbours": "num_neighbors",
        "fit_graphs": "max_train_graphs",
        "random_encoders": "num_random_encoders",
        "probe_strengths": "probe_C",
        "wl_rounds": "wl_iterations",
        "views": "augmentation",
    }

    split: Literal["test", "validation"] = Field(description="scenes to measure on; use validation to compare settings")
    min_positives: int = Field(gt=1, description="graphs with an archetype needed in training and measured scenes")
    max_queries: int = Field(gt=1, description="at most this many graphs serve as retrieval queries")
    num_neighbors: int = Field(gt=0, description="k of the k-nearest-neighbour classifier")
    max_train_graphs: int = Field(gt=1, description="at most this many training graphs fit the probes")
    num_random_encoders: int = Field(gt=0, description="number of untrained encoders measured as a baseline")
    probe_C: list[Positive] = Field(
        min_length=1, description="inverse regularization strengths of the probe; validation chooses one"
    )
    wl_iterations: list[Count] = Field(
        min_length=1, description="iterations of the Weisfeiler-Lehman kernel; validation chooses one"
    )
    augmentation: AugmentationOptions = Field(description="views for alignment and cross-view top-1")
    coverage: CoverageOptions
    seed: int = Field(ge=0, description="seed of subsets, views and permutations")


def compare_sources(evaluation: EvaluationOptions, source: SourceOptions) -> EvaluationOptions:
    """Return the options with the source that coverage compares with filled in, see `SourceOptions.reference`."""
    recorded = evaluation.coverage.recorded or source.reference()
    coverage = evaluation.coverage.model_copy(update={"recorded": recorded})
    return evaluation.model_copy(update={"coverage": coverage})


class ReportingOptions(Base):
    """What the report shows."""

    renamed: ClassVar = {"pictures": "num_exemplars", "map_points": "max_map_points"}

    num_exemplars: int = Field(gt=0, description="exemplar scenes drawn in the report")
    max_map_points: int = Field(gt=0, description="at most this many graphs of each source on the map")


class TUOptions(Base):
    """The benchmark on TU Dortmund graph classification data sets (`scenes_tu`)."""

    renamed: ClassVar = {
        "epochs": "max_epochs",
        "objective": "was removed: the loss is nt_xent",
        "loss": "was removed: it is nt_xent",
        "seeds": "num_seeds",
        "folds": "n_splits",
        "hidden": "hidden_channels",
        "layers": "num_layers",
        "drop_node": "node_drop_prob",
        "drop_edge": "edge_drop_prob",
        "wl_rounds": "wl_iterations",
    }

    path: FilePath | None = Field(description="folder with one folder per data set, each with its files in raw/")
    datasets: list[str] = Field(description="names of the data sets")
    max_epochs: int = Field(ge=0, description="training epochs, fixed in advance: no accuracy chooses anything")
    num_seeds: int = Field(gt=0, description="number of repetitions, with consecutive seeds")
    n_splits: int = Field(gt=1, description="folds of the cross-validation")
    hidden_channels: int = Field(gt=0, description="width of each GINE layer")
    num_layers: int = Field(gt=0, description="number of GINE layers")
    batch_size: int = Field(gt=1, description="graphs per batch")
    learning_rate: float = Field(gt=0, description="constant learning rate")
    node_drop_prob: float = Field(ge=0, lt=1, description="probability that a node is dropped in a view")
    edge_drop_prob: float = Field(ge=0, lt=1, description="probability that an edge is dropped in a view")
    temperature: float = Field(gt=0, description="divides the cosine similarities of nt_xent")
    wl_iterations: int = Field(ge=0, description="iterations of the Weisfeiler-Lehman subtree kernel baseline")
    seed: int = Field(ge=0, description="first seed")


class EmbedOptions(Base):
    """New scenes that trained weights embed (`scenes_embed`)."""

    recordings: dict[str, RecordingOptions | None] = Field(
        description="recorded scenes by source name; null removes one"
    )
    max_lane_distance_m: float = Field(ge=0, description="largest distance of a road user from its lane, in metres")
    num_scenes: int = Field(gt=0, description="nearest known scenes of each new graph")
    num_neighbors: int = Field(gt=0, description="novelty is the distance to the k-th nearest known graph")


class Options(Base):
    """The parameters of the scenes family."""

    source: SourceOptions
    features: FeatureOptions
    model: ModelOptions
    training: TrainingOptions
    evaluation: EvaluationOptions
    reporting: ReportingOptions
    embed: EmbedOptions
    tu: TUOptions

    @model_validator(mode="after")
    def _has_both_sources(self) -> Options:
        sources = {*self.source.variants, *self.source.folders}
        coverage = compare_sources(self.evaluation, self.source).coverage
        for field in ("simulated", "recorded"):
            name = getattr(coverage, field)
            if name not in sources:
                raise ValueError(
                    f"evaluation.coverage.{field} is {name!r} and the sources are {', '.join(sorted(sources))}: "
                    "coverage needs scenes of two sources"
                )
        return self

    @model_validator(mode="after")
    def _knows_test_only_sources(self) -> Options:
        known = {*self.source.simulator.variants, *self.source.recordings}
        unknown = [name for name in self.features.test_only_sources if name not in known]
        if unknown:
            raise ValueError(
                f"features.test_only_sources has {unknown[0]!r} and the sources are {', '.join(sorted(known))}: "
                "name a source"
            )
        return self

    @model_validator(mode="after")
    def _has_temporal_positives(self) -> Options:
        interval = self.features.graphs.interval_s
        nearest = max(round(LATER_S / interval), 1) * interval
        if self.training.augmentation.temporal_positive_prob and abs(nearest - LATER_S) >= LATER_TOLERANCE_S:
            raise ValueError(
                "training.augmentation.temporal_positive_prob needs graphs one second apart, and "
                f"features.graphs.interval_s is {interval:g}: set temporal_positive_prob to 0, or the interval to 1 "
                "or an integer fraction of it"
            )
        return self
