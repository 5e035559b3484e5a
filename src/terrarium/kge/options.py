"""Option models of the family knowledge_graph. Defaults are in `conf/base/parameters/knowledge_graph.yml`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal, NamedTuple, get_args

from pydantic import Field, model_validator

from terrarium.common.options import Options as Base
from terrarium.kge.data.options import FeatureOptions, SourceOptions
from terrarium.training.options import FitOptions
from terrarium.training.options import StoppingOptions as BaseStoppingOptions

ValidationMetric = Literal["validation_mrr", "validation_head_mrr", "validation_tail_mrr", "validation_hits_at_10"]
VALIDATION_METRICS: tuple[str, ...] = get_args(ValidationMetric)
"""Columns of the history that are measured on validation triples: filtered, mean of both sides or of the named one."""
Precision = Literal["64-true", "32-true", "bf16-mixed", "16-mixed", "mixed"]
ModelName = Literal["conve", "complex", "distmult"]
LossName = Literal["cross_entropy", "bce"]
TrainType = Literal["KvsAll", "1vsAll"]
QueryWeight = Literal["equal", "by_num_answers"]
EntityEncoder = Literal["lookup", "ancestors", "words", "ancestors_and_words"]

PLAIN_DIM = 200
_DEVICE = "torch device: cpu, cuda, cuda:N, mps, or auto (a GPU if there is one)"


class ConvEImage(NamedTuple):
    """Shape of the image of one vector, and of the feature map that the filters make of two stacked images."""

    height: int
    width: int
    map_height: int
    map_width: int


class ModelOptions(Base):
    """The embedding model."""

    renamed: ClassVar[Mapping[str, str]] = {
        "scorer": "name",
        "reciprocal": "inverse_relations",
        "stack": "stack_axis",
        "channels": "output_channels",
    }

    name: ModelName = Field(description="ConvE, ComplEx or DistMult")
    dim: int | None = Field(
        ge=2,
        description="embedding dimension, even for complex; null takes 64 where embeddings are sums (see "
        "entity_encoder), else 200, and for complex and distmult 512 up to 100,000 entities and 800 up to 1,000",
    )
    inverse_relations: bool = Field(
        description="give each relation a second embedding for its inverse, by which heads are predicted"
    )
    entity_bias: bool = Field(description="add a trained bias per entity to its scores")
    entity_encoder: EntityEncoder | None = Field(
        description="embedding of an entity: its own vector (lookup), or that plus the vectors of its ancestors by the "
        "hierarchy relation (ancestors), of the words of its name (words) or of both (ancestors_and_words); null takes "
        "both where the graph has such a relation, else lookup"
    )
    embedding_height: int | None = Field(
        gt=0, description="height of the image of a vector, for conve; null derives it from dim"
    )
    embedding_width: int | None = Field(
        gt=0, description="width of the image of a vector, for conve; null derives it from dim"
    )
    stack_axis: Literal["height", "width"] = Field(
        description="axis along which the images of head and relation are joined, for conve"
    )
    output_channels: int = Field(gt=0, description="number of convolution filters, for conve")
    kernel_height: int = Field(gt=0, description="height of the filters, for conve")
    kernel_width: int = Field(gt=0, description="width of the filters, for conve")
    input_dropout: float = Field(ge=0, lt=1, description="dropout of the embeddings of head and relation")
    feature_map_dropout: float = Field(ge=0, lt=1, description="dropout of whole feature maps, for conve")
    output_dropout: float = Field(ge=0, lt=1, description="dropout of the query embedding")
    seed: int = Field(ge=0, description="seed of the initial parameters")

    @model_validator(mode="after")
    def _check_shapes(self) -> ModelOptions:
        if self.name == "conve":
            self.image()
        if self.name == "complex" and self.dimension % 2:
            raise ValueError(f"dim {self.dim} is odd, and complex needs pairs of numbers: make it even")
        return self

    @property
    def dimension(self) -> int:
        """Embedding dimension; 200 where `dim` is null, until `defaults.fill_dim` fits it to a graph."""
        return PLAIN_DIM if self.dim is None else self.dim

    def image(self) -> ConvEImage:
        """Return the shape of ConvE's images; sides that are null follow `dim`, as square as possible.

        Raises:
            ValueError: height times width is not `dim`, or the kernel is larger than the stacked images.
        """
        height, width = self._image_sides()
        stacked = (2 * height, width) if self.stack_axis == "height" else (height, 2 * width)
        map_height, map_width = stacked[0] - self.kernel_height + 1, stacked[1] - self.kernel_width + 1
        if map_height < 1 or map_width < 1:
            raise ValueError(
                f"the kernel {self.kernel_height} x {self.kernel_width} is larger than the stacked images, "
                f"{stacked[0]} x {stacked[1]}: lower kernel_height and kernel_width or choose other sides"
            )
        return ConvEImage(height, width, map_height, map_width)

    def _image_sides(self) -> tuple[int, int]:
        height, width = self.embedding_height, self.embedding_width
        if height is None and width is None:
            height = max(side for side in range(1, math.isqrt(self.dimension) + 1) if self.dimension % side == 0)
        height = height or self.dimension // (width or 1)
        width = width or self.dimension // height
        if height * width != self.dimension:
            raise ValueError(
                f"embedding_height {height} x embedding_width {width} is {height * width}, not dim {self.dimension}: "
                "change one, or set both to null, and they follow dim"
            )
        return height, width


class LossOptions(Base):
    """The loss of a query's scores of all entities."""

    renamed_values: ClassVar[Mapping[str, Mapping[str, str]]] = {"name": {"softmax": "cross_entropy"}}

    name: LossName = Field(
        description="softmax cross entropy over all entities (cross_entropy), or binary cross entropy of each (bce)"
    )
    label_smoothing: float = Field(ge=0, lt=1, description="fraction of the target spread evenly over all entities")
    n3_weight: float | None = Field(
        ge=0,
        description="weight of the N3 penalty, the cubed moduli of the embeddings used (Lacroix et al. 2018); null "
        "takes min(0.1, 1 / mean degree), and searches from there where training.search allows",
    )
    relation_weight: float = Field(
        ge=0,
        description="weight of the cross entropy of predicting the relation from head and tail, for complex and "
        "distmult (Chen et al. 2021)",
    )


class OptimizerOptions(Base):
    """How parameters are updated."""

    name: Literal["adam", "adagrad"] = Field(description="torch.optim.Adam or torch.optim.Adagrad")
    learning_rate: float = Field(gt=0, description="learning rate of the first epoch")
    clip_norm: float = Field(ge=0, allow_inf_nan=False, description="largest gradient norm; 0 does not clip")


class ScheduleOptions(Base):
    """How the learning rate changes."""

    learning_rate_decay: float = Field(gt=0, le=1, description="factor of the learning rate after each epoch")


class MemoryOptions(Base):
    """What trades time for memory; results are the same up to rounding."""

    entity_chunk_size: int = Field(
        ge=0, description="number of entities scored at a time in the loss; 0 scores all and keeps the scores"
    )
    gradient_checkpointing: bool = Field(
        description="recompute the query embedding in the backward pass instead of keeping its activations"
    )
    cleanup: bool = Field(description="return cached GPU memory to the driver every cleanup_interval batches")
    cleanup_interval: int = Field(gt=0, description="number of batches between cleanups")


class ValidationOptions(Base):
    """When and on what to measure during training."""

    interval: int = Field(gt=0, description="number of epochs between measurements on the validation triples")
    max_triples: int = Field(ge=0, description="number of validation triples to measure, a random sample; 0: all")


class SearchOptions(Base):
    """How the weight of the N3 penalty is searched where `loss.n3_weight` is null."""

    max_scores: float = Field(
        ge=0,
        allow_inf_nan=False,
        description="largest number of entity scores (rows x entities x epochs) that all trial trainings may compute; "
        "a graph on which three trainings of 50 epochs exceed it is not searched, and 0 never searches",
    )
    factor: float = Field(gt=1, allow_inf_nan=False, description="ratio of neighbouring weights that are tried")


class StoppingOptions(BaseStoppingOptions):
    """When to stop early, and which metric chooses the best epoch."""

    metric: Literal["auto", "loss", ValidationMetric] = Field(
        description="column of the history that is watched; loss needs direction min, all others max; auto takes "
        "validation_tail_mrr where all triples of a head are held out together, else validation_mrr"
    )


class TrainingOptions(FitOptions):
    """What is minimised, and how."""

    renamed: ClassVar[Mapping[str, str]] = {
        "targets": "train_type, KvsAll (was all) or 1vsAll (was single)",
        "row_weight": "query_weight, equal or by_num_answers (was answers)",
        "label_smoothing": "loss.label_smoothing",
        "nuclear_norm_weight": "loss.n3_weight",
        "optimiser": "optimizer.name",
        "learning_rate": "optimizer.learning_rate",
        "clip_norm": "optimizer.clip_norm",
        "learning_rate_decay": "schedule.learning_rate_decay",
        "entity_chunk": "memory.entity_chunk_size",
        "gradient_checkpointing": "memory.gradient_checkpointing",
        "memory_cleanup": "memory.cleanup",
        "cleanup_interval": "memory.cleanup_interval",
        "validation_every": "validation.interval",
        "validation_triples": "validation.max_triples",
    }

    train_type: TrainType | None = Field(
        description="one row per query (entity, relation) with all its answers (KvsAll), or one row per triple "
        "(1vsAll); null takes 1vsAll on small graphs, where it learns better, and KvsAll elsewhere, where it is faster"
    )
    query_weight: QueryWeight = Field(
        description="weight of a query: 1 (equal), or its number of answers over the mean number (by_num_answers)"
    )
    max_scores: float | None = Field(
        gt=0,
        description="largest number of entity scores (rows x entities x epochs) of the training, at least one epoch; "
        "lowers max_epochs on large graphs; null sets no limit",
    )
    batch_size: int | None = Field(gt=1, description="rows per batch; null takes 128 on small graphs and 512 elsewhere")
    num_negatives: int | None = Field(
        ge=0,
        description="entities drawn per batch as wrong answers, which its rows are scored with besides all its answers "
        "(sampled softmax, Jean et al. 2015); 0 scores all entities; null takes 0 on small graphs and 2048 elsewhere",
    )
    loss: LossOptions
    search: SearchOptions
    stopping: StoppingOptions
    optimizer: OptimizerOptions
    schedule: ScheduleOptions
    memory: MemoryOptions
    validation: ValidationOptions
    precision: Precision = Field(
        description="number format: 64, 32 or 16 bits, or mixed: 16-mixed on a GPU, bf16-mixed on a CPU that has "
        "instructions for it, else 32-true"
    )
    device: str = Field(description=_DEVICE)
    seed: int = Field(ge=0, description="seed of the order of rows, of dropout and of the validation sample")

    @model_validator(mode="after")
    def _check(self) -> TrainingOptions:
        if self.memory.entity_chunk_size and self.precision == "64-true":
            raise ValueError("memory.entity_chunk_size sums in 32 bits: set it to 0 for precision 64-true")
        return self

    def with_n3_weight(self, weight: float) -> TrainingOptions:
        """Return these options with the weight of the N3 penalty filled in."""
        return self.model_copy(update={"loss": self.loss.model_copy(update={"n3_weight": weight})})


class BaselineOptions(Base):
    """The untrained baselines: majority and nearest relatives."""

    relation: str | None = Field(
        description="relation whose tails the baselines predict; null takes the one that the source holds out"
    )
    hierarchy: str | None = Field(
        description="relation from an entity to its parent, for nearest relatives; null takes the source's, if any"
    )


class PredictOptions(Base):
    """The queries whose best answers become a table."""

    renamed: ClassVar[Mapping[str, str]] = {"among": "candidates", "top": "top_k"}

    heads: list[str] = Field(
        description="entities by id or name whose tails are predicted; without heads and tails, heads of the first "
        "test triples"
    )
    tails: list[str] = Field(
        description="entities by id or name whose heads are predicted; with as many heads, relations of the pairs are "
        "predicted"
    )
    include_known: bool = Field(description="also list the answers that a split of the graph holds")
    relation: str | None = Field(
        description="relation of the queries; null takes the most frequent of the test triples"
    )
    candidates: Literal["answers", "entities"] = Field(
        description="heads or tails to choose from: those of the relation in training (answers), or all (entities)"
    )
    top_k: int = Field(gt=0, description="number of answers per query")

    @model_validator(mode="after")
    def _are_pairs(self) -> PredictOptions:
        if self.heads and self.tails and (len(self.heads) != len(self.tails) or self.relation is not None):
            raise ValueError(
                "heads and tails together are pairs: give as many tails as heads, and set relation to null"
            )
        return self


class EvaluationOptions(Base):
    """How held-out triples are ranked."""

    renamed: ClassVar[Mapping[str, str]] = {"scores_mb": "score_memory_mb"}

    batch_size: int = Field(gt=0, description="queries scored at a time, at most")
    score_memory_mb: int = Field(gt=0, description="memory for the scores of a batch, in MB; may lower batch_size")
    precision: Precision = Field(description="number format of the query embeddings; scores have at least 32 bits")
    device: str = Field(description=_DEVICE)
    baseline: BaselineOptions
    predict: PredictOptions


class ReportingOptions(Base):
    """What the report shows."""

    renamed: ClassVar[Mapping[str, str]] = {"relations": "num_relations"}

    num_relations: int = Field(gt=0, description="relations in the figure and the table, the most frequent first")


class Options(Base):
    """All parameters of the family."""

    source: SourceOptions
    features: FeatureOptions
    model: ModelOptions
    training: TrainingOptions
    evaluation: EvaluationOptions
    reporting: ReportingOptions

    @model_validator(mode="after")
    def _check(self) -> Options:
        if self.training.loss.relation_weight and self.model.name == "conve":
            raise ValueError(
                "training.loss.relation_weight needs a score linear in the relation: set it to 0 for conve"
            )
        return self
