"""Option models of the pipeline `senses_reference`."""

from __future__ import annotations

from pydantic import Field, model_validator

from terrarium.common.options import Options
from terrarium.training.options import FitOptions


class ReferenceModelOptions(Options):
    """The table of item vectors."""

    dim: int = Field(ge=2, description="number of dimensions; with growth, at the start of training")
    init_std: float = Field(gt=0, description="standard deviation of the initial entries")
    seed: int = Field(ge=0, description="seed of the initial entries")


class ReferenceGrowthOptions(Options):
    """NAOMI-II's growth rule."""

    enabled: bool = Field(description="false keeps model.dim dimensions")
    max_dim: int = Field(gt=0, description="largest number of dimensions")
    expand_interval: int = Field(gt=0, description="epochs between two checks")
    expand_by: int = Field(gt=0, description="dimensions added at a time")
    activity_threshold: float = Field(ge=0, description="an entry above this absolute value is active")
    saturation_threshold: float = Field(
        gt=0,
        le=1,
        description="a column is saturated from this fraction of active entries; 80 % of the columns must be",
    )
    new_column_std: float = Field(gt=0, description="standard deviation of the entries of new columns")


class ReferenceTrainingOptions(FitOptions):
    """NAOMI-II's objective and optimizer."""

    targets: dict[str, float] = Field(
        description="target distance of each relation: hypernym, hyponym, meronym, holonym, similar, antonym"
    )
    sparsity_weight: float = Field(ge=0, description="weight of the mean absolute value of the table")
    val_fraction: float = Field(
        gt=0, lt=1, description="fraction of the edges used for validation, drawn without regard to mirrored edges"
    )
    batch_size: int = Field(gt=0, description="edges per batch; at most all edges")
    adaptive_batch_size: bool = Field(
        description="after growth, multiply batch_size by start dimensions / present dimensions, but never go below "
        "32,768 edges if it was above"
    )
    learning_rate: float = Field(gt=0, description="learning rate of Adam")
    clip_norm: float = Field(ge=0, description="largest norm of the gradient of the whole table; 0: not clipped")
    growth: ReferenceGrowthOptions
    memory_limit_gb: float | None = Field(gt=0, description="memory in GB that training may use; null: what is free")
    seed: int = Field(ge=0, description="seed of the split and of the batches")


class ReferenceOptions(Options):
    """NAOMI-II's trainer (pipeline `senses_reference`); data and evaluation are those of the family."""

    model: ReferenceModelOptions
    training: ReferenceTrainingOptions

    @model_validator(mode="after")
    def _fit_together(self) -> ReferenceOptions:
        growth = self.training.growth
        if growth.enabled and growth.max_dim < self.model.dim:
            raise ValueError(
                f"training.growth.max_dim {growth.max_dim} is below model.dim {self.model.dim}: raise it, or set "
                "training.growth.enabled to false"
            )
        return self
