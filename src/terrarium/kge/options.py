"""Typed parameters of the knowledge graph family, branch by branch; the defaults stand in its parameter file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from terrarium.common.options import Options as Base
from terrarium.kge.models.conve_shape import ImageShape, image_shape
from terrarium.training.options import FitOptions

if TYPE_CHECKING:
    import pandas as pd

VALIDATED = ("validation_mrr", "validation_head_mrr", "validation_tail_mrr", "validation_hits_at_10")
"""What an epoch is measured by: filtered, both sides but where one is named."""
Precision = Literal["64-true", "32-true", "bf16-mixed", "16-mixed", "mixed"]


class SourceOptions(Base):
    """Which triples, and where they are."""

    kind: Literal["virus_host", "files", "kgx", "pyg"] = Field(description="see docs/knowledge_graph.md")
    path: str | None = Field(description="folder of the files of the kinds files, kgx and pyg")
    clade: int | str | None = Field(description="virus_host: name or tax id below Viruses; null: all")
    train: str = Field(description="files: name of the training triples")
    valid: str | None = Field(description="files: name of the validation triples; null: split here")
    test: str | None = Field(description="files: name of the test triples; null: split here")
    entity_dictionary: str | None = Field(description="files: name TAB index; null: numbered as they appear")
    relation_dictionary: str | None = Field(description="files: name TAB index; null: numbered as they appear")
    nodes: str = Field(description="kgx: name of the file of nodes")
    edges: str = Field(description="kgx: name of the file of edges")
    style: str = Field(description="kgx: which edges are kept")
    styles: str | None = Field(description="kgx: a file of styles; null: the project's")
    dataset: Literal["WordNet18RR", "FB15k_237"] = Field(description="pyg: which graph")
    faults: Literal["error", "skip"] = Field(description="faulty lines: stop at the first, or skip and count")

    @model_validator(mode="after")
    def _has_path(self) -> SourceOptions:
        if self.kind != "virus_host" and self.path is None:
            raise ValueError(f"kind {self.kind} reads files: set path to their folder")
        return self


class FeatureOptions(Base):
    """How triples that come undivided are split."""

    split_relations: list[str] = Field(description="relations of which triples are held out; []: the source's choice")
    by: Literal["pair", "head"] | None = Field(
        description="what stays together: a pair of ends, or all answers of a head; null: the source's choice"
    )
    valid_share: float = Field(gt=0, lt=0.5, description="of what is held together")
    test_share: float = Field(gt=0, lt=0.5, description="of what is held together")
    group_share: float = Field(ge=0, lt=0.5, description="share of groups held out whole, as test_groups")
    seed: int = Field(ge=0)

    def of(self, relations: pd.DataFrame, asked: Sequence[str]) -> FeatureOptions:
        """These options with the source's choice of `by` for the relations asked about, where none is made."""
        if self.by is not None:
            return self
        choice = relations.loc[relations["relation"].isin(list(asked)), "together"]
        return self.model_copy(update={"by": "head" if len(choice) and (choice == "head").all() else "pair"})


class ModelOptions(Base):
    """The scorer."""

    scorer: Literal["conve", "complex", "distmult"]
    dim: int = Field(ge=2, description="numbers an entity; complex: half of them real, half imaginary")
    reciprocal: bool = Field(description="a second vector a relation, for the way back")
    entity_bias: bool = Field(description="a number an entity is added to its score")
    embedding_height: int | None = Field(gt=0, description="conve: rows of an image; null: follows dim")
    embedding_width: int | None = Field(gt=0, description="conve: columns of an image; null: follows dim")
    stack: Literal["height", "width"] = Field(description="conve: how the two images are joined")
    channels: int = Field(gt=0, description="conve: filters")
    kernel_height: int = Field(gt=0)
    kernel_width: int = Field(gt=0)
    input_dropout: float = Field(ge=0, lt=1, description="of what enters")
    feature_map_dropout: float = Field(ge=0, lt=1, description="conve: of whole channels")
    output_dropout: float = Field(ge=0, lt=1, description="of the query before it meets the entities")
    seed: int = Field(ge=0)

    @model_validator(mode="after")
    def _shapes_fit(self) -> ModelOptions:
        if self.scorer == "conve":
            self.image()
        if self.scorer == "complex" and self.dim % 2:
            raise ValueError(f"dim {self.dim} is odd, and complex needs pairs of numbers: make it even")
        return self

    def image(self) -> ImageShape:
        """The shape that conve's vectors are folded to; ValueError where it does not fit."""
        return image_shape(
            self.dim,
            (self.embedding_height, self.embedding_width),
            self.stack,
            (self.kernel_height, self.kernel_width),
        )


class TrainingOptions(FitOptions):
    """The objective, its optimiser and the optimisations."""

    targets: Literal["all", "single"] = Field(description="all: a row a question; single: a row a triple")
    row_weight: Literal["equal", "answers"] = Field(description="answers: a row counts as often as it has answers")
    loss: Literal["bce", "softmax"]
    label_smoothing: float = Field(ge=0, lt=1)
    nuclear_norm_weight: float = Field(ge=0, description="of the cubed moduli of the vectors of a row (Lacroix 2018)")
    optimiser: Literal["adam", "adagrad"]
    learning_rate: float = Field(gt=0)
    learning_rate_decay: float = Field(gt=0, le=1, description="factor on the rate after each epoch")
    batch_size: int = Field(gt=1, description="rows a step")
    entity_chunk: int = Field(ge=0, description="entities scored at once; 0: all, and the scores are kept")
    precision: Precision = Field(description="mixed: fp16 on a GPU, bf16 on a CPU")
    device: str = Field(description="auto, cpu, cuda, cuda:N or mps")
    clip_norm: float = Field(ge=0, allow_inf_nan=False, description="largest gradient norm; 0 does not clip")
    gradient_checkpointing: bool = Field(description="compute the query again on the way back instead of keeping it")
    memory_cleanup: bool = Field(description="give cached memory of a GPU back at intervals")
    cleanup_interval: int = Field(gt=0, description="batches between cleanups")
    validation_every: int = Field(gt=0, description="epochs between measures on the validation triples")
    validation_triples: int = Field(ge=0, description="how many of them, at random; 0: all")
    seed: int = Field(ge=0)

    @model_validator(mode="after")
    def _fits(self) -> TrainingOptions:
        if self.entity_chunk and self.precision == "64-true":
            raise ValueError("entity_chunk sums in 32 bits: set it to 0 for precision 64-true")
        if self.stopping.metric not in ("loss", *VALIDATED):
            raise ValueError(
                f"stopping.metric is {self.stopping.metric!r}: choose loss (with direction min), {', '.join(VALIDATED)}"
            )
        return self


class BaselineOptions(Base):
    """What answers are compared with."""

    relation: str | None = Field(description="relation whose tails are guessed; null: the one the source asks about")
    hierarchy: str | None = Field(description="relation to the parent; null: the source's, if it has one")


class PredictOptions(Base):
    """Questions whose best answers become a table."""

    heads: list[str] = Field(description="entities by id or name; []: heads of the first test triples")
    relation: str | None = Field(description="null: the most frequent of the test triples")
    among: Literal["answers", "entities"] = Field(description="tails of the relation in training, or all entities")
    top: int = Field(gt=0, description="answers a question")


class EvaluationOptions(Base):
    """How ranks are measured."""

    batch_size: int = Field(gt=0, description="questions scored at once, at most")
    scores_mb: int = Field(gt=0, description="memory for the scores of a batch; fewer questions where it is short")
    precision: Precision = Field(description="of the queries and scores")
    device: str = Field(description="auto, cpu, cuda, cuda:N or mps")
    baseline: BaselineOptions
    predict: PredictOptions


class ReportingOptions(Base):
    """What the report shows."""

    relations: int = Field(gt=0, description="relations in the figure and the table, the most frequent first")


class Options(Base):
    """The family's tree of parameters."""

    source: SourceOptions
    features: FeatureOptions
    model: ModelOptions
    training: TrainingOptions
    evaluation: EvaluationOptions
    reporting: ReportingOptions
