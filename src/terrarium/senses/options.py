"""Option models of the senses family. The defaults are in `conf/base/parameters/senses.yml`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from terrarium.common.options import FilePath
from terrarium.common.options import Options as Base
from terrarium.senses.data.relations import RelationName
from terrarium.senses.legacy.options import ReferenceOptions
from terrarium.training.options import ScheduledFitOptions

Initialization = Literal["spectral", "inherited", "random"]
GrowthRule = Literal["need", "timetable", "random"]
_REFERENCE = (
    "was removed: the reference recipe is a pipeline of its own, --env=recipes/senses/naomi2 "
    "--pipelines=senses_reference"
)


class SourceOptions(Base):
    """Where WordNet is, and what else is read."""

    path: FilePath | None = Field(
        description="folder with WordNet's data.* and index.* files; null searches the places listed in docs/sources.md"
    )
    relations: FilePath | None = Field(
        description="CSV, TSV or Parquet file of additional relations with the columns head, relation and tail; "
        "null: none"
    )
    similarity: dict[str, FilePath] = Field(
        description="word similarity benchmarks by name: paths of files of word, word, human score"
    )


class WalkOptions(Base):
    """Random walks on the training pairs, which the spectral initial vectors are made from."""

    restart: float = Field(gt=0, lt=1, description="probability that a walk returns to its start at each step")
    tolerance: float = Field(
        gt=0,
        lt=1,
        description="probability per link of a row below which a walk is not followed; smaller: more exact and slower",
    )
    relation_weights: dict[RelationName, float] = Field(
        description="weight of a link by relation; 1 for relations that are not named. Antonyms are never followed"
    )
    lemma_weight: float = Field(ge=0, description="weight of the links between a synset and its lemmas; 0: none")
    gloss_weight: float = Field(
        gt=0, description="with glosses, factor on the pointwise mutual information of synsets and gloss words"
    )
    pmi_shift: float = Field(
        ge=0, description="subtracted from the pointwise mutual information; negative values are 0"
    )

    @model_validator(mode="after")
    def _weights_are_positive(self) -> WalkOptions:
        wrong = sorted(name for name, weight in self.relation_weights.items() if not weight > 0)
        if wrong:
            raise ValueError(f"relation_weights of {', '.join(wrong)} must be above 0")
        return self


class FeatureOptions(Base):
    """Which pairs are trained on and which are held out, and what the spectral initial vectors are made from."""

    renamed: ClassVar = {
        "validation_share": "val_fraction",
        "test_share": "test_fraction",
        "antonym_validation_share": "antonym_val_fraction",
        "antonym_test_share": "antonym_test_fraction",
        "leave_out": "excluded_relations",
        "vocabulary": _REFERENCE,
    }
    val_fraction: float = Field(
        gt=0, lt=0.5, description="fraction of the pairs in the validation split, which selects the best epoch"
    )
    test_fraction: float = Field(gt=0, lt=0.5, description="fraction of the pairs in the test split")
    antonym_val_fraction: float = Field(gt=0, lt=0.5, description="val_fraction for antonym pairs")
    antonym_test_fraction: float = Field(gt=0, lt=0.5, description="test_fraction for antonym pairs")
    excluded_relations: list[RelationName] = Field(description="names of relations that are not used at all")
    walks: WalkOptions
    glosses: bool = Field(
        description="whether the spectral initial vectors also use the words of the glosses. A gloss often names the "
        "hypernym, so held-out links are easier to predict with glosses"
    )
    seed: int = Field(ge=0, description="seed of the split and of the spectral initial vectors")


class ModelOptions(Base):
    """The table of vectors."""

    renamed: ClassVar = {"generality": "specificity_column"}
    dim: int = Field(ge=2, description="number of dimensions; with growth, at the start of training")
    init: Initialization = Field(
        description="initial vectors. spectral: a factorisation of random walks on the training pairs, rotated so that "
        "few dimensions of a synset are large; inherited: weighted sums of random directions of a synset's ancestors; "
        "random: random directions"
    )
    specificity_column: float = Field(
        ge=0,
        description="with init spectral and inherited, the first column is this factor times sqrt(1 - information "
        "content): largest for general synsets, 0 for leaves. 0: a column like the others",
    )
    antonym_energy: float = Field(
        ge=0,
        lt=1,
        description="with init spectral, fraction of a trained antonym's squared length that is on the polar "
        "dimensions at the start, where antonyms are opposite and their neighbours follow; 0: polar dimensions start "
        "like the others",
    )
    seed: int = Field(ge=0, description="seed of the initial vectors")


class LossOptions(Base):
    """Weights and constants of the losses. The link loss has weight 1."""

    temperature: float = Field(gt=0, description="divides the cosines of the link and direction losses")
    vector_link_weight: float = Field(
        ge=0,
        le=1,
        description="fraction of the link loss's gradient that moves the vectors of synsets; 0: links train the maps "
        "of the relations and the offsets of senses alone. Use 1 with init random and inherited",
    )
    direction_weight: float = Field(
        ge=0,
        description="weight of the direction loss, which trains the relations alone: a pair of a directed relation "
        "against the reversed pair",
    )
    taxonomy_weight: float = Field(
        ge=0, description="weight of the squared error between the cosine of two synsets and their Lin similarity"
    )
    antonym_weight: float = Field(
        ge=0, description="weight of the antonym loss: opposite signs on polar dimensions, equal signs elsewhere"
    )
    antonym_margin: float = Field(
        gt=0, lt=1, description="opposition on the polar dimensions beyond which the antonym loss gains nothing"
    )
    sense_offset_penalty: float = Field(
        ge=0, description="weight of the squared length of the offset between a sense and its synset"
    )
    matryoshka_dims: list[int] = Field(
        description="prefix lengths that are trained to serve as vectors of their own (Matryoshka representations); "
        "[]: none"
    )


class SamplerOptions(Base):
    """What is drawn for each batch of links."""

    num_negatives: int = Field(gt=0, description="random synsets per batch, shared by its links as negatives")
    taxonomy_pairs_per_link: float = Field(ge=0, description="synset pairs of the taxonomy loss per link of a batch")
    common_ancestor_fraction: float = Field(
        ge=0, le=1, description="fraction of the taxonomy pairs drawn below a common ancestor; the rest are random"
    )
    antonym_pairs_per_link: float = Field(ge=0, description="additional antonym pairs per link of a batch")


class OptimizerOptions(Base):
    """Adagrad with one accumulator per row of the table."""

    learning_rate: float = Field(gt=0, description="learning rate of the first epoch")
    relation_lr_factor: float = Field(gt=0, description="factor on the learning rate for the maps of the relations")


class ScheduleOptions(Base):
    """The learning rate decays geometrically over max_epochs."""

    final_learning_rate: float = Field(gt=0, description="learning rate of epoch max_epochs")


class SparsityOptions(Base):
    """Exact zeros in the synset vectors."""

    zero_fraction: float = Field(ge=0, lt=1, description="fraction of exact zeros in each synset vector")
    log_range: tuple[float, float] = Field(description="range of zero fractions that the log names as the target")


class GrowthOptions(Base):
    """Whether and when dimensions are added or removed during training."""

    renamed: ClassVar = {
        "plateau": "plateau_threshold",
        "min_gain": "min_gain_per_doubling",
        "new_column_share": "new_column_energy",
        "prune_below": "prune_threshold",
        "saturation_threshold": "min_gain_per_doubling, which decides alone: all columns were active at every check",
    }
    enabled: bool = Field(description="false keeps model.dim dimensions")
    max_dim: int = Field(gt=0, description="largest number of dimensions")
    expand_interval: int = Field(gt=0, description="epochs between two checks")
    expand_by: int = Field(gt=0, description="dimensions added at a time")
    rule: GrowthRule = Field(
        description="need: when the present dimensions have stopped lowering the validation loss and more would lower "
        "it; timetable: at every check; random: at half of the checks"
    )
    plateau_threshold: float = Field(
        ge=0,
        description="rule need adds columns only if the validation loss fell by at most this fraction since the last "
        "check",
    )
    min_gain_per_doubling: float = Field(
        description="rule need adds columns only if they, before any training, lower the validation loss by at least "
        "this fraction for each doubling of the parameters",
    )
    new_column_energy: float = Field(gt=0, lt=0.5, description="fraction of a row's squared length in new columns")
    prune_threshold: float = Field(
        ge=0, lt=1, description="columns with less than this fraction of the mean energy are removed; 0: none"
    )


class AxisOptions(Base):
    """A named axis by its words."""

    positive: list[str] = Field(min_length=1, description="words of the positive pole")
    negative: list[str] = Field(
        min_length=1, description="words of the negative pole, each the opposite of the positive word in its place"
    )
    neutral: list[str] = Field(description="words that should be 0 on the axis")

    @model_validator(mode="after")
    def _paired(self) -> AxisOptions:
        if len(self.positive) != len(self.negative):
            raise ValueError("positive and negative must be equally long: they are opposed in pairs")
        return self


class NamedAxesOptions(Base):
    """Supervision of polar dimensions by given words."""

    enabled: bool = Field(description="whether polar dimensions are trained to be the named axes")
    polarity_weight: float = Field(ge=0, description="weight of the loss that opposes the pairs of an axis on it")
    consistency_weight: float = Field(ge=0, description="weight of the loss on the sign of single words on an axis")
    axes: dict[str, AxisOptions | None] = Field(description="words of each axis; null drops an axis")


def measured_columns(has_axes: bool) -> list[str]:
    """Return the columns of the history that stopping can watch: the losses of both splits."""
    losses = ["link", "direction", "taxonomy", "antonym", *(["polarity", "consistency"] if has_axes else [])]
    names = ["loss", *(f"{name}_loss" for name in losses)]
    return [*names, *(f"validation_{name}" for name in names)]


class TrainingOptions(ScheduledFitOptions):
    """Losses, sampling, optimizer and growth."""

    renamed: ClassVar = {
        "unsupervised": "named_axes.enabled, with the opposite value",
        "temperature": "loss.temperature, which divides: 0.1 instead of 10",
        "negatives": "sampler.num_negatives",
        "direction_weight": "loss.direction_weight",
        "taxonomy_weight": "loss.taxonomy_weight",
        "taxonomic_pairs": "sampler.taxonomy_pairs_per_link",
        "near_share": "sampler.common_ancestor_fraction",
        "opposition_weight": "loss.antonym_weight",
        "antonym_pairs": "sampler.antonym_pairs_per_link",
        "margin": "loss.antonym_margin",
        "offset_penalty": "loss.sense_offset_penalty",
        "polarity_weight": "named_axes.polarity_weight",
        "consistency_weight": "named_axes.consistency_weight",
        "sparsity_target": "sparsity.zero_fraction",
        "sparsity_range": "sparsity.log_range",
        "matryoshka": "loss.matryoshka_dims",
        "adaptive_batch": "adaptive_batch_size",
        "learning_rate": "optimizer.learning_rate",
        "learning_rate_end": "schedule.final_learning_rate",
        "relation_rate": "optimizer.relation_lr_factor",
        "objective": _REFERENCE,
        "documented": _REFERENCE,
    }
    loss: LossOptions
    sampler: SamplerOptions
    batch_size: int = Field(gt=0, description="links per batch; at most all links")
    adaptive_batch_size: bool = Field(
        description="after growth, multiply batch_size by start dimensions / present dimensions, but never go below "
        "32,768 links if it was above"
    )
    optimizer: OptimizerOptions
    schedule: ScheduleOptions
    sparsity: SparsityOptions
    growth: GrowthOptions
    named_axes: NamedAxesOptions
    memory_limit_gb: float | None = Field(gt=0, description="memory in GB that training may use; null: what is free")
    device: str = Field(description="auto, cpu, cuda, cuda:N or mps")
    threads: int = Field(gt=0, description="threads of PyTorch and of the compiled kernels during training")
    seed: int = Field(ge=0, description="seed of batches, negatives and the random growth rule")

    @model_validator(mode="after")
    def _learning_rate_falls(self) -> TrainingOptions:
        first, last = self.optimizer.learning_rate, self.schedule.final_learning_rate
        if last > first:
            raise ValueError(
                f"schedule.final_learning_rate {last:g} is above optimizer.learning_rate {first:g}: lower it, "
                "since the learning rate decays"
            )
        return self

    @model_validator(mode="after")
    def _metric_is_measured(self) -> TrainingOptions:
        known = measured_columns(self.named_axes.enabled)
        if self.stopping.metric not in known:
            raise ValueError(f"stopping.metric {self.stopping.metric} is not measured: choose from {', '.join(known)}")
        return self

    @model_validator(mode="after")
    def _axes_are_named(self) -> TrainingOptions:
        if self.named_axes.enabled and not any(self.named_axes.axes.values()):
            raise ValueError("named_axes.enabled is true and named_axes.axes names none: add axes")
        return self


class EvaluationOptions(Base):
    """How the vectors are evaluated."""

    renamed: ClassVar = {
        "ranking_queries": "max_ranking_pairs",
        "transitive_pairs": "max_transitive_pairs",
        "sparsity_curve": "zero_fractions",
        "truncations": "truncated_dims",
        "axis_pairs": "min_axis_pairs",
        "null_directions": "num_null_directions",
    }
    max_ranking_pairs: int = Field(gt=0, description="largest number of test pairs per relation that are ranked")
    max_transitive_pairs: int = Field(
        gt=0, description="largest number of pairs of a synset and a distant ancestor for is_a_direction_transitive"
    )
    zero_fractions: list[float] = Field(description="zero fractions at which the metrics are reported")
    truncated_dims: list[int] = Field(
        description="numbers of dimensions to which the vectors are truncated, by PCA and by their first dimensions"
    )
    min_axis_pairs: int = Field(gt=1, description="smallest number of antonym pairs that make and test an axis")
    num_null_directions: int = Field(gt=0, description="random directions that each axis is compared with")
    seed: int = Field(ge=0, description="seed of all samples of the evaluation")


def largest_dim(model: ModelOptions, growth: GrowthOptions) -> int:
    """Return the largest number of dimensions that training may reach."""
    return growth.max_dim if growth.enabled else model.dim


class ReportingOptions(Base):
    """What the report shows."""

    renamed: ClassVar = {
        "neighbours_of": "neighbor_words",
        "neighbours": "num_neighbors",
        "top_words": "num_words",
        "dimensions": "num_dimensions",
    }
    neighbor_words: list[str] = Field(description="words whose nearest senses are listed")
    num_neighbors: int = Field(gt=0, description="nearest senses per sense")
    num_dimensions: int = Field(gt=0, description="dimensions whose extreme words are listed")
    num_words: int = Field(gt=0, description="words at either end of a dimension")


class Options(Base):
    """The parameters of the family."""

    renamed: ClassVar = {"features.axes": "training.named_axes.axes"}
    source: SourceOptions
    features: FeatureOptions
    model: ModelOptions
    training: TrainingOptions
    evaluation: EvaluationOptions
    reporting: ReportingOptions
    reference: ReferenceOptions

    @model_validator(mode="after")
    def _fit_together(self) -> Options:
        growth = self.training.growth
        if growth.enabled and growth.max_dim < self.model.dim:
            raise ValueError(
                f"training.growth.max_dim {growth.max_dim} is below model.dim {self.model.dim}: raise it, or set "
                "training.growth.enabled to false"
            )
        widest, dim = max(self.training.loss.matryoshka_dims, default=0), self.largest_dim
        if widest >= dim:
            raise ValueError(
                f"training.loss.matryoshka_dims has {widest}, and there are {dim} dimensions: name fewer than that"
            )
        return self

    @property
    def largest_dim(self) -> int:
        """Largest number of dimensions that training may reach."""
        return largest_dim(self.model, self.training.growth)
