"""Embed and measure one clade in memory with the nodes of the pipelines."""

import tempfile
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.parameters import parameters_of
from benchmarks.results import Row
from terrarium.hyperbolic.data.build import hierarchy_of
from terrarium.hyperbolic.evaluation.compare import TRAINED, compare_layouts
from terrarium.hyperbolic.options import Options
from terrarium.pipelines.hyperbolic import holdout_nodes, nodes
from terrarium.training.checkpointing.state import State
from terrarium.training.checkpointing.store import TrainingStore


def changed(parameters: Mapping[str, Any], changes: Mapping[str, Any]) -> Options:
    """Return the options of a tree of parameters with some values replaced, by dotted name.

    What is `auto` in the tree follows the changed loss.
    """
    tree = deepcopy(dict(parameters))
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
        """Return the defaults with changes, for a clade."""
        seeds = {f"{branch}.seed": seed for branch in ("model", "training", "evaluation", "holdout")}
        return cls(changed(parameters_of("hyperbolic", "local"), {"source.clade": clade, **seeds, **changes}))

    @cached_property
    def data(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return taxa and edges."""
        source = self.options.source
        built = nodes.build_taxonomy(
            nodes.read_source(source)["source_table"],
            source,
            self.options.evaluation.ranks,
            self.options.reporting.disk_rank,
        )
        return built["taxa"], built["edges"]

    def train(self, taxa: pd.DataFrame, edges: pd.DataFrame) -> tuple[State, State, pd.DataFrame]:
        """Train on some taxa; return the constructed layout, weights and history."""
        chosen = self.options
        loss = chosen.training.loss.name
        features = nodes.compute_target_radii(taxa, edges, chosen.features, chosen.model, loss)
        closure = nodes.build_closure(edges, chosen.source)
        start = nodes.initialize(edges, features["constructed_layout"], {}, chosen.source, chosen.model, loss)
        with tempfile.TemporaryDirectory() as folder:
            store = TrainingStore(Path(folder))
            trained = nodes.train(edges, closure, features["depths"], start, store, chosen.model, chosen.training)
        return features["constructed_layout"], trained["weights"], trained["history"]

    def measure(self, *, untrained: bool = True) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return one row of metrics per layout, indexed by layout, and the history of the training."""
        taxa, edges = self.data
        constructed, weights, history = self.train(taxa, edges)
        tree, model = hierarchy_of(edges), self.options.model
        layouts = {TRAINED: nodes.layout_of(weights, tree)}
        loss = self.options.training.loss.name
        layouts |= nodes.untrained(tree, edges, constructed, model.dim, model, loss) if untrained else {}
        measured = compare_layouts(tree, layouts, taxa["rank"], self.options.evaluation)
        table = measured.by_layout.set_index("layout")
        for metric in ("separation", "purity"):
            wide = measured.by_rank.pivot(index="layout", columns="rank", values=metric)
            table = table.drop(columns=[f"{metric}_{rank}" for rank in wide], errors="ignore")
            table = table.join(wide.add_prefix(f"{metric}_"))
        return table, history

    def place(self) -> pd.DataFrame:
        """Hold out taxa, train, and predict their parents: layout, score, kind, exact, hops, wu_palmer."""
        kept = holdout_nodes.hold_out_taxa(*self.data, self.options.holdout)
        chosen, loss = self.options, self.options.training.loss.name
        constructed, weights, _ = self.train(kept["taxa"], kept["edges"])
        placed = holdout_nodes.place_taxa(
            **kept,
            constructed=constructed,
            weights=weights,
            model=chosen.model,
            holdout=chosen.holdout,
            loss=loss,
        )
        table: pd.DataFrame = placed["layout_metrics"]
        return table


def table_rows(table: pd.DataFrame, corner: str, digits: int = 3) -> Iterator[Row]:
    """Yield the rows of a table of numbers as text, its index first under the name `corner`."""
    for name, row in table.iterrows():
        numbers = {str(column): "" if pd.isna(value) else f"{value:.{digits}f}" for column, value in row.items()}
        yield {corner: name, **numbers}
