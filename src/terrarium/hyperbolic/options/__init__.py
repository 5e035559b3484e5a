"""Option models of the hyperbolic family. Defaults are in `conf/base/parameters/hyperbolic.yml` only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from terrarium.common.options import Options as Base
from terrarium.hyperbolic.options.stages import (
    AssociationOptions,
    ConstructionName,
    EvaluationOptions,
    FeatureOptions,
    HoldoutOptions,
    InitName,
    LegacySourceOptions,
    ModelOptions,
    RadiusSchedule,
    ReportingOptions,
    SourceOptions,
)
from terrarium.hyperbolic.options.training import (
    Curriculum,
    DepthMargin,
    LegacyAdamOptions,
    LossName,
    LossOptions,
    NegativeSampler,
    OptimizerOptions,
    Phase,
    SamplerOptions,
    ScheduleOptions,
    TrainingOptions,
)

__all__ = [
    "AssociationOptions",
    "ConstructionName",
    "Curriculum",
    "DepthMargin",
    "EvaluationOptions",
    "FeatureOptions",
    "HoldoutOptions",
    "InitName",
    "LegacyAdamOptions",
    "LegacySourceOptions",
    "LossName",
    "LossOptions",
    "ModelOptions",
    "NegativeSampler",
    "OptimizerOptions",
    "Options",
    "Phase",
    "RadiusSchedule",
    "ReportingOptions",
    "SamplerOptions",
    "ScheduleOptions",
    "SourceOptions",
    "TrainingOptions",
]


class Options(Base):
    """The family's tree of parameters."""

    renamed: ClassVar[Mapping[str, str]] = {"withheld": "holdout"}

    source: SourceOptions
    features: FeatureOptions
    model: ModelOptions
    training: TrainingOptions
    evaluation: EvaluationOptions
    holdout: HoldoutOptions
    associations: AssociationOptions
    reporting: ReportingOptions
