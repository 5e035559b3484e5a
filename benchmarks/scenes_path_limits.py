"""How the limits of redundant paths change graphs: what is omitted, and whether shares depend on density."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from benchmarks.parameters import parameters_of
from benchmarks.results import Row, report_table
from terrarium.pipelines.scenes import nodes
from terrarium.scenes.graphs.archetypes import label_graphs
from terrarium.scenes.graphs.building import build_graphs
from terrarium.scenes.graphs.columns import Graphs
from terrarium.scenes.graphs.scene_graph import NEIGHBOR_VEHICLE, OPPOSITE_VEHICLE
from terrarium.scenes.labels.definitions import read_definitions
from terrarium.scenes.options import Options

SEED, SCENES = 10, 40
LIMITS = (0, 2, 3, 4)


def path_limits() -> None:
    """Build the same scenes with several limits."""
    report_table("scenes_path_limits", _rows(), seed=SEED)


def _rows() -> Iterator[Row]:
    given = parameters_of("scenes", "local")
    given["source"]["simulator"]["seed"] = SEED
    for variant in given["source"]["simulator"]["variants"].values():
        variant["scenes"] = SCENES
    options = Options.model_validate(given)
    read = nodes.read_source(options.source)
    definitions = read_definitions(None, "archetypes")
    every = None
    for limit in LIMITS:
        limits = dict.fromkeys(("redundant_lead_hops", "redundant_neighbor_hops", "redundant_opposite_hops"), limit)
        graphs, index = build_graphs(read["tracks"], read["lanes"], options.features.graphs.model_copy(update=limits))
        every = every or graphs
        labels = label_graphs(graphs, definitions)
        yield {
            "limit": limit,
            "edges per road user": f"{graphs.edges.sum() / graphs.nodes.sum():.2f}",
            "neighbour pairs omitted": f"{_omitted(graphs, every, NEIGHBOR_VEHICLE):.3f}",
            "opposite pairs omitted": f"{_omitted(graphs, every, OPPOSITE_VEHICLE):.3f}",
            "graphs with an archetype": f"{labels.any(axis=1).mean():.3f}",
            "archetypes per graph": f"{labels.sum(axis=1).mean():.2f}",
            "archetypes in 20 graphs": int((labels.sum() >= 20).sum()),
            "dependence on density": f"{_dependence(labels, index):.3f}",
            "contexts per 1,000 road users": f"{_contexts(graphs):.1f}",
        }


def _omitted(graphs: Graphs, every: Graphs, relation: int) -> float:
    return float(1 - (graphs.relation == relation).sum() / (every.relation == relation).sum())


def _dependence(labels: pd.DataFrame, index: pd.DataFrame) -> float:
    """Return the mean |rank correlation| over archetypes of its share of a scene's graphs with the scene's density."""
    density = index.groupby("scene")["nodes"].sum() / index.groupby("scene")["time_s"].nunique()
    shares = labels.groupby(index["scene"].to_numpy()).mean().loc[density.index]
    kept = shares.loc[:, shares.std() > 0]
    return float(np.mean([abs(kept[name].corr(density, method="spearman")) for name in kept]))


def _contexts(graphs: Graphs) -> float:
    """Return the number of distinct road users with their related neighbours, per 1,000 road users."""
    from terrarium.scenes.graphs.weisfeiler_lehman import node_labels

    return 1000 * len(np.unique(node_labels(graphs, 1)[1])) / len(graphs.speed)
