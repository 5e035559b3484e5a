"""Option models of the source of a graph and of its split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, model_validator

from terrarium.common.options import FilePath
from terrarium.common.options import Options as Base
from terrarium.sources.graphs.triple_lines import ColumnOrder

if TYPE_CHECKING:
    import pandas as pd

SourceKind = Literal["virus_host", "files", "kgx", "pyg"]


class SourceOptions(Base):
    """Which triples to read."""

    renamed: ClassVar[Mapping[str, str]] = {"faults": "on_error"}

    kind: SourceKind | None = Field(
        description="packaged NCBI virus-host graph (virus_host), files of triples (files), a KGX graph (kgx), or a "
        "benchmark in PyTorch Geometric's raw layout (pyg); null takes files where path is set, else virus_host"
    )
    path: FilePath | None = Field(description="folder of the files, for files, kgx and pyg")
    clade: int | str | None = Field(description="name or tax id below Viruses, for virus_host; null reads all")
    train: FilePath = Field(description="file name of the training triples, for files")
    valid: FilePath | None = Field(description="file name of the validation triples, for files; null splits `train`")
    test: FilePath | None = Field(description="file name of the test triples, for files; null splits `train`")
    entity_dictionary: FilePath | None = Field(description="file of lines name TAB index, for files; null: as they appear")
    relation_dictionary: FilePath | None = Field(description="file of lines name TAB index, for files; null: as they appear")
    column_order: ColumnOrder = Field(description="order of the columns, for files")
    drop_repeated: bool = Field(description="drop held-out triples that an earlier file has, instead of a warning")
    nodes: FilePath = Field(description="file name of the nodes, JSON Lines or TSV, for kgx")
    edges: FilePath = Field(description="file name of the edges, JSON Lines or TSV, for kgx")
    style: str = Field(description="name of the filter style that decides which edges are kept, for kgx")
    styles: FilePath | None = Field(description="YAML file of filter styles, for kgx; null uses the packaged one")
    dataset: Literal["WordNet18RR", "FB15k_237"] = Field(description="name of the benchmark, for pyg")
    hierarchy_relation: str | None = Field(description="relation from an entity to its parent; null: the source's own")
    on_error: Literal["error", "skip"] = Field(description="at a malformed line: stop, or drop and count it")

    @model_validator(mode="after")
    def _check_path(self) -> SourceOptions:
        if self.chosen_kind != "virus_host" and self.path is None:
            raise ValueError(f"kind {self.kind} reads files: set path to their folder")
        return self

    @property
    def chosen_kind(self) -> SourceKind:
        """`kind`, filled in where it is null."""
        return self.kind or ("virus_host" if self.path is None else "files")


class FeatureOptions(Base):
    """How to split triples that come without splits."""

    renamed: ClassVar[Mapping[str, str]] = {
        "by": "split_by",
        "valid_share": "val_fraction",
        "test_share": "test_fraction",
        "group_share": "group_fraction",
    }

    split_relations: list[str] = Field(
        description="relations whose triples are held out, all others train; [] takes the source's choice"
    )
    split_by: Literal["pair", "head"] | None = Field(
        description="what stays in one split: all triples of a pair of entities (pair) or of a head (head); null takes "
        "the source's choice"
    )
    val_fraction: float = Field(gt=0, lt=0.5, description="fraction of the pairs or heads held out for validation")
    test_fraction: float = Field(gt=0, lt=0.5, description="fraction of the pairs or heads held out for testing")
    group_fraction: float = Field(
        ge=0, lt=0.5, description="fraction of the entity groups held out whole, as split test_groups"
    )
    drop_leaks: bool = Field(
        description="leave out of given splits the held-out triples that training gives away by an inverse or a "
        "duplicate relation; otherwise they are counted"
    )
    seed: int = Field(ge=0, description="seed of the split")

    def with_source_choice(self, relations: pd.DataFrame, split_relations: Sequence[str]) -> FeatureOptions:
        """Return these options with `split_by` filled in from the source where it is null.

        Args:
            relations: the table of relations, with the columns relation and split_by.
            split_relations: the relations whose triples are held out.
        """
        if self.split_by is not None:
            return self
        choices = relations.loc[relations["relation"].isin(list(split_relations)), "split_by"]
        by_head = len(choices) > 0 and bool((choices == "head").all())
        return self.model_copy(update={"split_by": "head" if by_head else "pair"})
