"""Options of all stages but training."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from terrarium.common.options import FilePath, Options
from terrarium.hyperbolic.geometry.precision import SAFE_RADIUS_FLOAT64

InitName = Literal["inherited", "constructed", "random", "uniform"]
ConstructionName = Literal["auto", "combinatorial", "rays", "cones", "caps"]
RadiusSchedule = Literal["construction", "linear", "logarithmic", "hyperbolic"]


class LegacySourceOptions(Options):
    """A fault of older data sets that the reference recipes v1 and v2 repeat."""

    max_tax_id: int | None = Field(
        ge=0, description="keep only the pairs of the closure whose two ids are at most this; null keeps all pairs"
    )


class SourceOptions(Options):
    """What to embed."""

    renamed: ClassVar[Mapping[str, str]] = {
        "several_parents": "allow_multiple_parents",
        "cut_lineages_above": "legacy.max_tax_id",
    }

    kind: Literal[
        "auto", "package", "table", "taxdump", "obo", "newick", "lineages", "wordnet_nouns", "wordnet_verbs"
    ] = Field(description="format of the source; auto derives it from the path")
    path: FilePath | None = Field(
        description="CSV, TSV, Parquet, OBO or Newick file, file of taxonomy strings, taxdump folder, archive or "
        "address; null: NCBI's package"
    )
    select: Literal["clade", "lowest_taxids", "all"] = Field(description="which part of the source to embed")
    clade: int | str | None = Field(
        description="name, id or key of the root, for select: clade; null: everything in the path, or Mammalia of "
        "NCBI's package"
    )
    count: int = Field(gt=0, description="number of ids, for select: lowest_taxids; their ancestors are added")
    max_depth: int | None = Field(gt=0, description="levels to keep below the root; null keeps all")
    clean: bool = Field(description="drop leaves whose name says that they are no described taxon (sp., cf., ...)")
    extra_noise: list[str] = Field(description="further regular expressions for names to drop, for clean: true")
    allow_multiple_parents: bool = Field(
        description="accept several rows with the same id, one per parent; the first row names the first parent"
    )
    virtual_root: int | None = Field(ge=0, lt=2**31, description="unused id of a root to put above several roots")
    associations: FilePath | None = Field(
        description="CSV or TSV file of typed links (node, relation, other) for hyperbolic_associations, or "
        "virus_host: the hosts of viruses in NCBI's package"
    )
    legacy: LegacySourceOptions

    @model_validator(mode="after")
    def _check_max_tax_id(self) -> SourceOptions:
        if self.allow_multiple_parents and self.legacy.max_tax_id is not None:
            raise ValueError("legacy.max_tax_id needs a tree: set allow_multiple_parents to false")
        return self

    @field_validator("extra_noise")
    @classmethod
    def _check_patterns(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression ({error})") from error
        return patterns


class FeatureOptions(Options):
    """Target radii by depth."""

    radius_schedule: RadiusSchedule = Field(
        description="radii of the constructed layout (construction), or equal steps of the norm (linear), of "
        "log(1 + depth) (logarithmic), of the radius (hyperbolic)"
    )
    root_norm: float = Field(ge=0, lt=1, description="target Euclidean norm at depth 0; not for construction")
    leaf_norm: float = Field(gt=0, lt=1, description="target Euclidean norm at the deepest level; not for construction")

    @model_validator(mode="after")
    def _check_order(self) -> FeatureOptions:
        if self.leaf_norm <= self.root_norm:
            raise ValueError("leaf_norm must be larger than root_norm")
        return self


class ModelOptions(Options):
    """The table of points and its initial layout."""

    renamed: ClassVar[Mapping[str, str]] = {"spread": "init_noise"}

    dim: int = Field(ge=2, description="dimension of the ball")
    init: InitName = Field(
        description="initial directions: the parent's plus a random step (inherited), those of the constructed "
        "layout, or random ones, all at the target radii; uniform: points within 0.001 of the origin"
    )
    init_noise: float = Field(gt=0, description="length of the random step below depth 3, for init: inherited")
    construction: ConstructionName = Field(
        description="the constructed layout: edge lengths by crowding (combinatorial), radius by depth (rays), nested "
        "cones for a tight radius (cones), or nested caps in which ancestors come first by plain distance (caps); "
        "cones and caps need dim >= 3; auto: caps for loss distance_softmax, else rays in up to five dimensions and "
        "for branch lengths, else cones"
    )
    max_radius: float = Field(
        gt=0,
        le=SAFE_RADIUS_FLOAT64,
        description="largest hyperbolic radius; float32 keeps the layout up to about 12, float64 up to 34",
    )
    missed_weight: float = Field(
        gt=0,
        description="where nodes have several parents, weight of a descendant outside the cap or cone of its ancestor "
        "over that of another node inside; more lowers the mean rank of ancestors, and MAP",
    )
    leaf_radius: Literal["nested", "largest"] = Field(
        description="of caps, leaves at the radius of their own cap, or all at max_radius: ancestors then rank before "
        "other leaves, and descendants of inner nodes worse"
    )
    seed: int = Field(ge=0, description="seed of the initial layout")

    @model_validator(mode="after")
    def _nested_layouts_fit(self) -> ModelOptions:
        if self.construction in {"cones", "caps"} and self.dim < 3:
            raise ValueError(
                f"construction {self.construction} needs three dimensions: set dim to 3 or more, or choose rays"
            )
        return self


class EvaluationOptions(Options):
    """How the layouts are measured."""

    renamed: ClassVar[Mapping[str, str]] = {
        "exact_limit": "max_exact_queries",
        "queries": "num_queries",
        "distortion_pairs": "max_distortion_pairs",
        "neighbours": "num_neighbors",
        "purity_sample": "max_purity_taxa",
        "group_min": "min_group_size",
        "group_sample": "max_group_sample",
    }

    max_exact_queries: int = Field(
        gt=0, description="rank every taxon in trees of up to this many taxa, a sample in larger ones"
    )
    num_queries: int = Field(gt=0, description="taxa in that sample, and for the untrained layouts")
    undirected: bool = Field(
        description="also rank ancestors and descendants together by distance (Nickel and Kiela 2018)"
    )
    max_distortion_pairs: int = Field(gt=0, description="pairs whose distance is compared with the tree's, at most")
    num_neighbors: int = Field(gt=0, description="k of the nearest-neighbour purity")
    max_purity_taxa: int = Field(gt=1, description="taxa among which neighbours are searched, at most")
    min_group_size: int = Field(gt=1, description="smallest group that counts in the separation")
    max_group_sample: int = Field(gt=1, description="taxa per group sampled for the separation, at most")
    ranks: Literal["auto"] | list[str] = Field(
        description="ranks by which taxa are grouped, such as order or level 2 (depth 2); auto: the four highest with "
        "enough groups"
    )
    radii: list[Annotated[float, Field(gt=0, le=SAFE_RADIUS_FLOAT64)]] = Field(
        description="largest radii at which every constructed layout is measured; [] for none"
    )
    num_radius_queries: int = Field(gt=0, description="taxa ranked at each radius")
    max_radius_taxa: int = Field(ge=0, description="largest tree that is also trained at each radius; 0 trains none")
    seed: int = Field(ge=0, description="seed of the samples")


class AssociationOptions(Options):
    """How the pipeline hyperbolic_associations learns points for hosts, traits or annotations."""

    split_rank: str | None = Field(
        description="rank whose groups stay together in the split, such as genus; null splits node by node"
    )
    val_fraction: float = Field(gt=0, lt=1, description="fraction of the nodes or groups for validation")
    test_fraction: float = Field(gt=0, lt=1, description="fraction of the nodes or groups for test")
    points_per_target: int = Field(gt=0, description="points of each host, trait or annotation")
    hierarchy_weight: float = Field(
        ge=0, description="weight of the squared relative change of distances in the layout; 0 keeps it fixed"
    )
    learning_rate: float = Field(gt=0, description="step length of Adam in hyperbolic units")
    batch_size: int = Field(gt=0, description="nodes per batch")
    max_epochs: int = Field(gt=0, description="number of epochs; the one with the best validation MRR is kept")
    seed: int = Field(ge=0, description="seed of the split, the initial points and the batches")

    @model_validator(mode="after")
    def _check_fractions(self) -> AssociationOptions:
        if self.val_fraction + self.test_fraction >= 1.0:
            raise ValueError("val_fraction and test_fraction leave nothing to train: their sum must be below 1")
        return self


class HoldoutOptions(Options):
    """What the pipelines hyperbolic_placement and hyperbolic_links hold out of training."""

    renamed: ClassVar[Mapping[str, str]] = {
        "leaf_share": "leaf_fraction",
        "clade_share": "clade_fraction",
        "clade_size": "max_clade_size",
        "placed": "max_placements",
        "link_share": "link_fraction",
        "link_train_share": "link_train_fraction",
    }

    leaf_fraction: float = Field(ge=0, lt=1, description="fraction of the leaves to hold out; hyperbolic_placement")
    clade_fraction: float = Field(
        ge=0, lt=1, description="fraction of the taxa to hold out in whole clades; hyperbolic_placement"
    )
    max_clade_size: int = Field(gt=1, description="taxa in the largest clade to hold out")
    max_placements: int = Field(gt=0, description="held-out leaves and clades that are placed, at most")
    num_relatives: int = Field(gt=0, description="relatives from which each held-out taxon is placed")
    relative_noise: float = Field(
        ge=0, description="standard deviation of the error in the logarithm of the distances to the relatives"
    )
    wrong_relatives: float = Field(ge=0, lt=1, description="fraction of the relatives that are random taxa")
    link_fraction: float = Field(
        gt=0,
        lt=0.5,
        description="fraction of the pairs outside the transitive reduction that is held out for validation, and "
        "again for test; hyperbolic_links",
    )
    link_train_fraction: float = Field(ge=0, lt=1, description="fraction of these pairs that is trained on")
    link_corruptions: int = Field(gt=0, description="false pairs per end of each true pair")
    seed: int = Field(ge=0, description="seed of the split")


class ReportingOptions(Options):
    """What the figures show."""

    renamed: ClassVar[Mapping[str, str]] = {
        "disk_points": "max_disk_points",
        "scatter_points": "max_scatter_points",
        "disk_groups": "num_disk_groups",
    }

    max_disk_points: int = Field(gt=0, description="taxa drawn in the disk, at most")
    max_scatter_points: int = Field(gt=0, description="taxa drawn in the scatter plot of radius by depth, at most")
    disk_rank: str = Field(
        description="rank whose groups colour the disk, such as order or level 2 (depth 2); auto: the highest with "
        "enough groups"
    )
    num_disk_groups: int = Field(gt=0, description="number of groups with their own colour, largest first")
    example: int | str = Field(
        description="name or id of the taxon that the report works out; auto: a species with relatives and a low id"
    )
