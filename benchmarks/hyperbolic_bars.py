"""Single measurements that the page of layouts refers to: training at radius 12, family purity, prescribed norms."""

import time
from collections.abc import Iterator

import numpy as np

from benchmarks.hyperbolic_layouts import SEED, rounded
from benchmarks.parameters import parameters_of
from benchmarks.results import Row, chosen, replace_rows
from benchmarks.studies import Study, changed
from terrarium.common.arrays import Float64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.build import hierarchy_of
from terrarium.hyperbolic.evaluation.distortion import distortion
from terrarium.hyperbolic.evaluation.purity import purity_table
from terrarium.hyperbolic.evaluation.reconstruction import choose_queries, reconstruct
from terrarium.hyperbolic.evaluation.separation import separation_table
from terrarium.hyperbolic.geometry.ball import Layout, norm_of_radius
from terrarium.hyperbolic.layouts.initial import constructed_layout, name_construction
from terrarium.pipelines.hyperbolic import nodes

LOWEST = "100,000 lowest tax ids"
TRAINED_FROM_CONES = {
    "model.construction": "cones",
    "model.max_radius": 12.0,
    "training.max_epochs": 8,
    "training.optimizer.learning_rate": 0.02,
}
QUERIES, DISTORTION_PAIRS = 1000, 200_000
CASES = ("default, radius 34", "cones, radius 34", "default, radius 12", "trained, radius 12", "prescribed norms")


def main() -> None:
    """Measure the cases that TERRARIUM_ONLY lists, or all; see `CASES`."""
    replace_rows("hyperbolic_bars", _rows(chosen(CASES)), seed=SEED)


def _rows(names: list[str]) -> Iterator[Row]:
    lowest = Study.of("", {"source.select": "lowest_taxids"})
    for name in names:
        if name == "prescribed norms":
            recipe = parameters_of("hyperbolic", "recipes/hyperbolic/prescribed_norms")
            study = Study(changed(recipe, {"source.clade": "Echinodermata"}))
            points, seconds = _trained(study)
            yield _measured(study, "Echinodermata", name, "recipe prescribed_norms", points, "class", seconds)
        elif name == "trained, radius 12":
            study = Study.of("", {"source.select": "lowest_taxids", **TRAINED_FROM_CONES})
            points, seconds = _trained(study)
            yield _measured(study, LOWEST, name, "cones, 8 epochs of joint at rate 0.02", points, "family", seconds)
        else:
            points, layout, seconds = _constructed(lowest, name)
            yield _measured(lowest, LOWEST, name, layout, points, "family", seconds)


def _constructed(study: Study, name: str) -> tuple[Layout, str, float]:
    tree = hierarchy_of(study.data[1])
    kind, radius = name.split(", radius ")
    model = study.options.model.model_copy(
        update={"max_radius": float(radius), "construction": "auto" if kind == "default" else kind}
    )
    started = time.process_time()
    named = name_construction(model, "joint")
    return constructed_layout(tree, named), str(named.construction), time.process_time() - started


def _trained(study: Study) -> tuple[Layout, float]:
    taxa, edges = study.data
    started = time.process_time()
    _, weights, _ = study.train(taxa, edges)
    return nodes.layout_of(weights, hierarchy_of(edges)), time.process_time() - started


def _measured(study: Study, data: str, name: str, layout: str, points: Layout, rank: str, seconds: float) -> Row:
    taxa, edges = study.data
    tree, options = hierarchy_of(edges), study.options.evaluation
    found = reconstruct(tree, points, choose_queries(tree, 0, QUERIES, SEED)).metrics()
    paths = distortion(tree, points, max_pairs=DISTORTION_PAIRS, seed=SEED)
    groups = {"num_neighbors": options.num_neighbors, "max_taxa": options.max_purity_taxa, "seed": SEED}
    purity = purity_table(tree, points, taxa["rank"], [rank], **groups)["purity"].iloc[0]
    return {
        "case": f"{data}, {name}",
        "data": data,
        "taxa": len(tree),
        "layout": layout,
        "largest radius": rounded(float(points.radius.max())),
        "MAP by detour": rounded(found["ancestor_map_detour"]),
        "edge MAP": rounded(found["edge_map"]),
        "Spearman of path lengths": rounded(paths["hops_spearman"]),
        "r of depth and radius": rounded(_correlation(tree, points.radius)),
        "r of depth and norm": rounded(_correlation(tree, norm_of_radius(points.radius))),
        "rank": rank,
        "purity": rounded(float(purity)),
        "separation": rounded(_separation(study, tree, points, rank)),
        "CPU s": round(seconds, 1),
    }


def _correlation(tree: Hierarchy, values: Float64Array) -> float:
    return float(np.corrcoef(tree.depth, values)[0, 1])


def _separation(study: Study, tree: Hierarchy, points: Layout, rank: str) -> float:
    options = study.options.evaluation
    table = separation_table(
        tree,
        points,
        study.data[0]["rank"],
        [rank],
        min_group_size=options.min_group_size,
        max_group_sample=options.max_group_sample,
        seed=SEED,
    )
    return float(table["separation"].iloc[0])
