"""One clade, embedded and measured by the pipelines' own nodes, in memory."""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.parameters import options_of
from benchmarks.results import Row
from terrarium.hyperbolic.data import taxonomy
from terrarium.hyperbolic.evaluation.compare import TRAINED, compare
from terrarium.hyperbolic.options import Options
from terrarium.pipelines.hyperbolic import holdout_nodes as withheld_nodes
from terrarium.pipelines.hyperbolic import nodes
from terrarium.training.checkpointing.state import State
from terrarium.training.checkpointing.store import TrainingStore


def changed(options: Options, changes: Mapping[str, Any]) -> Options:
    """Options with some values replaced, by dotted name."""
    tree = options.model_dump()
    for name, value in changes.items():
        *path, last = name.split(".")
        branch = tree
        for part in path:
            branch = branch[part]
        if last not in branch:
            raise KeyError(f"there is no parameter {name}")
        branch[last] = value
    return Options.model_validate(tree)


@dataclass(frozen=True)
class Study:
    """What is embedded, and how."""

    options: Options

    @classmethod
    def of(cls, clade: str, changes: Mapping[str, Any], seed: int = 0) -> "Study":
        """The defaults with changes, on a clade."""
        seeds = {f"{branch}.seed": seed for branch in ("model", "training", "evaluation", "withheld")}
        return cls(changed(options_of("local"), {"source.clade": clade, **seeds, **changes}))

    @cached_property
    def data(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Taxa and edges."""
        source = self.options.source
        taxa, edges, _ = nodes.build_taxonomy(
            nodes.read_source(source), source, self.options.evaluation.ranks, self.options.reporting.disk_rank
        )
        return taxa, edges

    def train(self, taxa: pd.DataFrame, edges: pd.DataFrame) -> tuple[pd.DataFrame, State, pd.DataFrame]:
        """Depths, weights and history of some taxa."""
        chosen = self.options
        depths = nodes.compute_target_radii(taxa, chosen.features)
        closure = nodes.build_closure(edges, chosen.source)
        start = nodes.initialise(edges, depths, chosen.model, chosen.training.objective)
        with tempfile.TemporaryDirectory() as folder:
            store = TrainingStore(Path(folder))
            weights, _, history, _ = nodes.train(edges, closure, depths, start, store, chosen.model, chosen.training)
        return depths, weights, history

    def measure(self, *, untrained: bool = True) -> tuple[pd.DataFrame, pd.DataFrame]:
        """A row of numbers a layout, indexed by layout, and the history; of the trained one alone if so wished."""
        taxa, edges = self.data
        depths, weights, history = self.train(taxa, edges)
        tree, model = taxonomy.tree_of(edges), self.options.model
        layouts = {TRAINED: nodes.layout_of(weights, tree)}
        layouts |= nodes.untrained(tree, depths, model.dim, model) if untrained else {}
        _, by_layout, by_rank = compare(tree, layouts, taxa["rank"], self.options.evaluation)
        table = by_layout.set_index("layout")
        for measure in ("separation", "purity"):
            wide = by_rank.pivot(index="layout", columns="rank", values=measure)
            table = table.drop(columns=[f"{measure}_{rank}" for rank in wide], errors="ignore")
            table = table.join(wide.add_prefix(f"{measure}_"))
        return table, history

    def place(self) -> pd.DataFrame:
        """layout, score, kind, exact, hops, wu_palmer: withheld taxa, placed."""
        taxa, edges, tops = withheld_nodes.withhold_taxa(*self.data, self.options.withheld)
        depths, weights, _ = self.train(taxa, edges)
        _, table, _ = withheld_nodes.place_withheld(
            taxa, edges, depths, weights, tops, self.options.model, self.options.withheld
        )
        return table


def table_rows(table: pd.DataFrame, corner: str, digits: int = 3) -> Iterator[Row]:
    """Yield the rows of a table of numbers as text, its index first under the name `corner`."""
    for name, row in table.iterrows():
        numbers = {str(column): "" if pd.isna(value) else f"{value:.{digits}f}" for column, value in row.items()}
        yield {corner: name, **numbers}
