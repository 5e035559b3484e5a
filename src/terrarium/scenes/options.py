"""Typed parameters of the scenes family, branch by branch; the defaults stand in its parameter file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from terrarium.common.options import Options as Base
from terrarium.training.options import FitOptions, TorchOptions

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=0)]
LATER_S, LATER_WITHIN_S = 1.0, 0.25
"""The second view of a graph may be the same group this much later."""


class VariantOptions(Base):
    """A kind of simulated traffic."""

    scenes: int = Field(ge=0)
    maps: int = Field(gt=0, description="road networks, the same for all variants; scenes take turns on them")
    vehicles_per_km: float = Field(gt=0, description="mean density of a lane; scenes have half to one and a half of it")
    speed_mean: float = Field(gt=0, description="desired speed of vehicles, m/s")
    speed_deviation: float = Field(ge=0)
    lane_change_rate: float = Field(ge=0, description="looks at another lane a second")
    idle_lane_changes: float = Field(ge=0, le=1, description="share of looks that change lane without any gain")
    motorcycle_share: float = Field(ge=0, le=1)
    cyclist_share: float = Field(ge=0, le=1)
    pedestrians: float = Field(ge=0, description="mean number of people who cross in a scene")
    staged_share: float = Field(
        ge=0, le=1, description="share of scenes that start with a group at a fork, which take turns in what it is for"
    )


class SimulatorOptions(Base):
    """The simulator of the project."""

    variants: dict[str, VariantOptions | None] = Field(description="by the name of the source; null: none")
    seconds: float = Field(gt=0, description="length of a scene")
    record_every_s: float = Field(gt=0)
    seed: int = Field(ge=0)


class RecordingOptions(Base):
    """A folder of recorded scenes."""

    reader: Literal["carla", "argoverse", "tables"]
    path: str


class SourceOptions(Base):
    """Where scenes come from."""

    simulator: SimulatorOptions
    recordings: dict[str, RecordingOptions | None] = Field(description="by the name of the source; null: none")
    off_lane_m: float = Field(
        ge=0, description="how far a road user may be from its lane's centre line, and beyond its ends"
    )


class GraphOptions(Base):
    """How a scene becomes graphs."""

    interval_s: float = Field(gt=0, description="time between snapshots; the first is left out")
    lead_m: float = Field(gt=0, description="longest way to a vehicle in front")
    neighbour_m: float = Field(gt=0, description="longest way, ahead or behind, to a vehicle beside")
    opposite_ahead_m: float = Field(gt=0)
    opposite_behind_m: float = Field(ge=0)
    lead_path: int = Field(ge=0, description="a relation is left out when so few edges join its ends already")
    neighbour_path: int = Field(ge=0)
    opposite_path: int = Field(ge=0)
    lanes_passed: int = Field(
        ge=1, description="following lanes that may be passed between snapshots without a change of lane; original: 1"
    )
    smallest: int = Field(ge=1, description="road users a graph has at least; 1 keeps those without relations")


class FeatureOptions(Base):
    """Graphs, their encoding, and which scenes are kept aside."""

    graphs: GraphOptions
    scaled: bool = Field(description="speeds and lengths less their mean, by their deviation, of the training part")
    relations: Literal["strict", "collapsed"] = Field(
        description="collapsed: the original's slots, where leading and following are neighbour"
    )
    validation_share: float = Field(gt=0, lt=0.5, description="of the scenes")
    test_share: float = Field(gt=0, lt=0.5, description="of the scenes")
    test_only: list[str] = Field(description="sources whose scenes are all for the test")
    seed: int = Field(ge=0)


class ModelOptions(Base):
    """The encoder."""

    dim: int = Field(
        gt=0, description="of the embedding; what is handed out is wider where `export` takes what comes before it"
    )
    hidden: int = Field(gt=0, description="width of a layer")
    layers: int = Field(gt=0)
    dropout: float = Field(ge=0, lt=1)
    head: Literal["full", "half"] = Field(description="width of the projection's output: dim, or half of it")
    normalised: bool = Field(description="embeddings have length 1")
    readout: Literal["last", "all"] = Field(description="layers whose mean, largest and sum are read out")
    export: Literal["embedding", "readout", "contexts"] = Field(
        description="what is handed out; contexts: the readout, scaled, and how often each context is expected"
    )
    seed: int = Field(ge=0)


class AugmentationOptions(Base):
    """How views of a graph differ."""

    views: Literal["both", "second"] = Field(description="which of the two views are changed")
    node_noise: float = Field(ge=0, description="deviation of what is added to speeds, in features' units")
    edge_noise: float = Field(ge=0, description="the same of path lengths")
    drop_edge: float = Field(ge=0, lt=1)
    drop_in_pairs: bool = Field(description="both directions of a relation are dropped together")
    drop_node: float = Field(ge=0, lt=1)
    subgraph: float = Field(gt=0, le=1, description="share of the road users that a walk keeps; 1 keeps all")
    mask_features: float = Field(ge=0, lt=1, description="share of road users without features")
    temporal: float = Field(ge=0, le=1, description="share of graphs whose second view is that of a second later")


class ObjectiveOptions(Base):
    """What is minimised."""

    name: Literal["nt_xent", "info_nce", "vicreg", "bgrl", "masked"] = Field(description="see docs/scenes.md")
    temperature: float = Field(gt=0, description="of nt_xent and info_nce")
    mask_same_scene: bool = Field(description="graphs of the same scene are no negatives of each other")
    variance_weight: float = Field(ge=0, description="of vicreg")
    invariance_weight: float = Field(ge=0, description="of vicreg")
    covariance_weight: float = Field(ge=0, description="of vicreg")
    momentum: float = Field(ge=0, lt=1, description="of bgrl's target at the start; rises to 1")
    mask_share: float = Field(gt=0, lt=1, description="of masked: road users whose features are to be found")
    reconstruction_weight: float = Field(ge=0, description="of masked, added to another objective")
    context_weight: float = Field(ge=0, description="of foretelling what is around each road user, added to any")


class ScheduleOptions(Base):
    """The learning rate."""

    kind: Literal["step", "loops"] = Field(
        description="step: one warm-up and one cosine, step by step; loops: the documents', a new optimiser each loop"
    )
    learning_rate: float = Field(gt=0)
    warmup_epochs: int = Field(ge=0)
    cosine: bool
    floor: float = Field(ge=0, le=1, description="end of the cosine, as a share of the rate")
    epochs_per_loop: int = Field(gt=0, description="for loops")
    decay: float = Field(gt=0, le=1, description="for loops: factor on the rate, loop by loop")


class TrainingOptions(FitOptions, TorchOptions):
    """Objective, augmentation, optimiser and schedule."""

    objective: ObjectiveOptions
    augmentation: AugmentationOptions
    schedule: ScheduleOptions
    optimizer: Literal["adamw", "adam"]
    weight_decay: float = Field(ge=0)
    batch_size: int = Field(gt=1)
    seed: int = Field(ge=0)


class CoverageOptions(Base):
    """Which source is asked what it lacks of another."""

    simulated: str = Field(description="source that may lack something")
    recorded: str = Field(description="source that shows what there is")
    neighbours: int = Field(gt=0, description="k of the nearest neighbours")
    permutations: int = Field(gt=0, description="whole scenes are shuffled between the sources so often")
    false_alarms: float = Field(gt=0, lt=1, description="share at which known holes are looked for")
    halvings: int = Field(gt=0, description="halvings of the simulated scenes that known holes are averaged over")
    strength: float = Field(gt=0, description="inverse penalty of the classifier of graphs that looks for known holes")
    user_strength: float = Field(gt=0, description="the same of the classifier of road users")


class EvaluationOptions(Base):
    """How embeddings are measured."""

    part: Literal["test", "validation"] = Field(
        description="scenes that are asked about; validation to compare settings"
    )
    smallest_class: int = Field(gt=1, description="graphs with an archetype that training and test need each")
    queries: int = Field(gt=1, description="graphs that are looked up, at most")
    neighbours: int = Field(gt=0, description="k of the nearest neighbours that vote")
    fit_graphs: int = Field(gt=1, description="training graphs that probes are fitted on, at most")
    random_encoders: int = Field(gt=0, description="untrained encoders that are measured beside")
    probe_strengths: list[Positive] = Field(
        min_length=1, description="inverse penalties of the probe; each representation takes its best on validation"
    )
    wl_rounds: list[Count] = Field(
        min_length=1, description="rounds of the Weisfeiler-Lehman kernel; each measure takes its best on validation"
    )
    views: AugmentationOptions = Field(description="the same for every model, so that cross-view numbers compare")
    coverage: CoverageOptions
    seed: int = Field(ge=0)


class ReportingOptions(Base):
    """What the report shows."""

    pictures: int = Field(gt=0, description="exemplar scenes that are drawn")
    map_points: int = Field(gt=0, description="graphs in the map of both sources")


class TUOptions(Base):
    """The outside check on graphs that are no traffic (`scenes_tu`)."""

    path: str | None = Field(description="folder with a folder a data set, each with raw/ as from TU Dortmund")
    datasets: list[str]
    epochs: int = Field(ge=0, description="fixed in advance; nothing is chosen by accuracy")
    seeds: int = Field(gt=0)
    folds: int = Field(gt=1)
    hidden: int = Field(gt=0)
    layers: int = Field(gt=0)
    batch_size: int = Field(gt=1)
    learning_rate: float = Field(gt=0)
    drop_node: float = Field(ge=0, lt=1)
    drop_edge: float = Field(ge=0, lt=1)
    temperature: float = Field(gt=0)
    objective: Literal["nt_xent", "vicreg", "bgrl", "masked"]
    wl_rounds: int = Field(ge=0, description="rounds of the WL subtree kernel that is measured beside")
    seed: int = Field(ge=0)


class Options(Base):
    """The family's tree of parameters."""

    source: SourceOptions
    features: FeatureOptions
    model: ModelOptions
    training: TrainingOptions
    evaluation: EvaluationOptions
    reporting: ReportingOptions
    tu: TUOptions

    @model_validator(mode="after")
    def _fit_together(self) -> Options:
        sources = {name for name, value in self.source.simulator.variants.items() if value and value.scenes}
        sources |= {name for name, value in self.source.recordings.items() if value}
        for field in ("simulated", "recorded"):
            name = getattr(self.evaluation.coverage, field)
            if name not in sources:
                raise ValueError(
                    f"evaluation.coverage.{field} is {name!r} and the sources are {', '.join(sorted(sources))}: "
                    "coverage needs scenes of two sources"
                )
        if self.training.augmentation.temporal and not self._has_graphs_a_second_apart():
            raise ValueError(
                f"training.augmentation.temporal needs graphs a second apart, and features.graphs.interval_s is "
                f"{self.features.graphs.interval_s:g}: set temporal to 0, or the interval to 1 or a part of it"
            )
        return self

    @model_validator(mode="after")
    def _export_is_trained(self) -> Options:
        objective, export = self.training.objective, self.model.export
        if export == "embedding" and objective.name == "masked":
            raise ValueError(
                "training.objective.name masked trains no layer of the embedding: set model.export to readout"
            )
        if export == "contexts" and objective.context_weight == 0.0:
            raise ValueError(
                "model.export is contexts and training.objective.context_weight 0, so that nothing learns them: "
                "set the weight, or model.export to readout"
            )
        return self

    def _has_graphs_a_second_apart(self) -> bool:
        interval = self.features.graphs.interval_s
        return abs(max(round(LATER_S / interval), 1) * interval - LATER_S) < LATER_WITHIN_S
