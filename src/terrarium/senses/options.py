"""Typed parameters of the senses family, branch by branch; the defaults stand in its parameter file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from terrarium.common.options import Options as Base
from terrarium.senses.data.relations import RELATIONS
from terrarium.senses.models.initial import Initialisation
from terrarium.senses.training.growth import GrowthOptions
from terrarium.training.options import FitOptions


class SourceOptions(Base):
    """Where WordNet is, and what else is read."""

    path: str | None = Field(
        description="folder of WordNet's data.* and index.*; null: looked for, see docs/sources.md"
    )
    relations: str | None = Field(description="CSV, TSV or Parquet of further relations: head, relation, tail")
    similarity: dict[str, str] = Field(description="files of word pairs with people's scores, by name")


class AxisOptions(Base):
    """A named axis: words of one pole, of the other, and words that are neither."""

    positive: list[str] = Field(min_length=1)
    negative: list[str] = Field(min_length=1)
    neutral: list[str]

    @model_validator(mode="after")
    def _paired(self) -> AxisOptions:
        if len(self.positive) != len(self.negative):
            raise ValueError("positive and negative must be as many: they are opposed in pairs")
        return self


class FeatureOptions(Base):
    """Which pairs are trained on, and how the documents' edges are made."""

    validation_share: float = Field(gt=0, lt=0.5, description="share of the pairs that choose the best epoch")
    test_share: float = Field(gt=0, lt=0.5, description="share of the pairs that are asked for at the end")
    antonym_validation_share: float = Field(gt=0, lt=0.5, description="validation_share of the antonym pairs")
    antonym_test_share: float = Field(gt=0, lt=0.5, description="test_share of the antonym pairs")
    leave_out: list[str] = Field(description="relations that are not trained on")
    vocabulary: Literal["senses", "documented"] = Field(
        description="senses; documented: (lemma, part of speech) and edges by prefix, for objective documented"
    )
    axes: dict[str, AxisOptions | None] = Field(
        description="named axes, for training.unsupervised: false; null drops one"
    )
    seed: int = Field(ge=0)

    @model_validator(mode="after")
    def _known(self) -> FeatureOptions:
        unknown = [name for name in self.leave_out if name not in RELATIONS]
        if unknown:
            raise ValueError(f"leave_out names {', '.join(unknown)}, and the relations are {', '.join(RELATIONS)}")
        return self


class ModelOptions(Base):
    """The table of vectors."""

    dim: int = Field(ge=2, description="dimensions at the start; with growth.enabled false, to the end")
    init: Initialisation = Field(description="inherited: sums over ancestors, see docs/senses.md; random")
    generality: float = Field(
        ge=0, description="of the column of the inherited start that says how general a synset is"
    )
    seed: int = Field(ge=0)


class DocumentedOptions(Base):
    """The original's objective, for objective documented."""

    targets: dict[str, float] = Field(description="distance wanted between the ends of each relation")
    sparsity_weight: float = Field(ge=0, description="of the mean |x| over the whole table")
    clip_norm: float = Field(ge=0, description="largest norm of the gradient of the whole table")
    validation_share: float = Field(gt=0, lt=1, description="of the edges, at random: most stand in training, too")
    activity_threshold: float = Field(ge=0, description="|x| above it counts a row for a column")
    init_std: float = Field(gt=0)
    new_column_std: float = Field(gt=0)


class TrainingOptions(FitOptions):
    """The objective, its optimiser and the growth."""

    objective: Literal["contrastive", "documented"] = Field(description="see docs/senses.md")
    unsupervised: bool = Field(description="false: named axes are trained, too (features.axes)")
    temperature: float = Field(gt=0, description="factor on the cosine among negatives")
    negatives: int = Field(gt=0, description="synsets that a batch is told apart from")
    direction_weight: float = Field(ge=0, description="of telling a directed pair from the pair turned round")
    taxonomy_weight: float = Field(ge=0, description="of the squared error against Lin's similarity")
    taxonomic_pairs: float = Field(ge=0, description="pairs of the taxonomy for each link of a batch")
    near_share: float = Field(ge=0, le=1, description="of them below a common ancestor; the others are any two")
    opposition_weight: float = Field(ge=0, description="of opposing on polar dimensions, and there alone")
    antonym_pairs: float = Field(ge=0, description="antonym pairs for each link of a batch, beside the links")
    margin: float = Field(gt=0, lt=1, description="opposition beyond which nothing more is to be gained")
    offset_penalty: float = Field(ge=0, description="pull of a sense to its synset")
    polarity_weight: float = Field(ge=0, description="for unsupervised: false")
    consistency_weight: float = Field(ge=0, description="for unsupervised: false")
    sparsity_target: float = Field(ge=0, lt=1, description="share of exact zeros in each synset's vector")
    sparsity_range: tuple[float, float] = Field(description="what the log says beside it; the documents' 40 to 70 %")
    matryoshka: list[int] = Field(description="widths whose first dimensions are trained to stand alone; []: none")
    growth: GrowthOptions
    documented: DocumentedOptions
    batch_size: int = Field(gt=0, description="links a batch; more than there are is all of them")
    adaptive_batch: bool = Field(
        description="batch_size * start / present dimensions, not below 32,768 if it was above"
    )
    learning_rate: float = Field(gt=0, description="of the first epoch")
    learning_rate_end: float = Field(gt=0, description="of the last epoch there may be; geometric in between")
    relation_rate: float = Field(gt=0, description="factor on the rate for the relations' numbers")
    memory_limit_gb: float | None = Field(gt=0, description="memory that training may use; null: what is free")
    device: str = Field(description="auto, cpu, cuda, cuda:N or mps")
    seed: int = Field(ge=0)

    @model_validator(mode="after")
    def _documented_fits(self) -> TrainingOptions:
        if self.objective == "documented" and (self.matryoshka or not self.unsupervised):
            raise ValueError(
                "objective documented has neither matryoshka nor named axes: set matryoshka to [] and unsupervised "
                "to true"
            )
        return self


class EvaluationOptions(Base):
    """How the vectors are measured."""

    ranking_queries: int = Field(gt=0, description="held-out pairs a relation that are ranked, at most")
    transitive_pairs: int = Field(gt=0, description="pairs of synset and far ancestor whose direction is asked")
    sparsity_curve: list[float] = Field(description="shares of zeros at which quality is measured")
    truncations: list[int] = Field(
        description="dimensions to which the vectors are cut, by PCA and by taking the first"
    )
    axis_pairs: int = Field(gt=1, description="antonym pairs that an axis needs at least")
    null_directions: int = Field(gt=0, description="random directions that axes are compared with")
    seed: int = Field(ge=0)


class ReportingOptions(Base):
    """What the report shows."""

    neighbours_of: list[str] = Field(description="words whose nearest senses are listed")
    neighbours: int = Field(gt=0, description="how many")
    top_words: int = Field(gt=0, description="words at either end of a dimension")
    dimensions: int = Field(gt=0, description="dimensions that are listed")


class Options(Base):
    """The family's tree of parameters."""

    source: SourceOptions
    features: FeatureOptions
    model: ModelOptions
    training: TrainingOptions
    evaluation: EvaluationOptions
    reporting: ReportingOptions

    @model_validator(mode="after")
    def _fit_together(self) -> Options:
        growth = self.training.growth
        if growth.enabled and growth.max_dim < self.model.dim:
            raise ValueError(
                f"training.growth.max_dim {growth.max_dim} is below model.dim {self.model.dim}: raise it, or set "
                "training.growth.enabled to false"
            )
        if (self.features.vocabulary == "documented") != (self.training.objective == "documented"):
            raise ValueError("features.vocabulary and training.objective are documented together or not at all")
        if not self.training.unsupervised and not any(self.features.axes.values()):
            raise ValueError("training.unsupervised is false and features.axes names none: add axes")
        return self
