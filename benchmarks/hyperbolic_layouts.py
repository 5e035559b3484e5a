"""Layouts without training at equal largest radius: trees with branch lengths, clades and large sets."""

import os
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.parameters import parameters_of
from benchmarks.results import Row, report_table
from terrarium.common.arrays import Float64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.build import build_taxonomy, hierarchy_of
from terrarium.hyperbolic.data.read import read_source
from terrarium.hyperbolic.evaluation.distortion import distortion
from terrarium.hyperbolic.evaluation.reconstruction import (
    QuerySample,
    choose_queries,
    reconstruct,
)
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.layouts.caps import cap_layout
from terrarium.hyperbolic.layouts.combinatorial import construct
from terrarium.hyperbolic.layouts.cones import cone_layout
from terrarium.hyperbolic.layouts.initial import inherited_directions
from terrarium.hyperbolic.layouts.rays import ray_layout
from terrarium.hyperbolic.options import SourceOptions

DIM, SEED = 10, 0
RADII = (6.0, 9.0, 12.0, 34.0)
QUERIES, MAX_PAIRS = 1000, 10**6
WHOLE_QUERIES, WHOLE_RADIUS = 20_000, 34.0
TREES = ("mosses", "weevils", "carnivora_lengths", "lichen_lengths", "binary_depth_8")
PUBLISHED = {"carnivora_lengths": "", "lichen_lengths": "12.0"}
"""Worst distortion of HS-DTE (van Spengler and Mettes, ICML 2025), where it is reported for this tree."""
CLADES = ("Mammalia", "Echinodermata", "Cnidaria", "Aves")
LAYOUTS: dict[str, Callable[..., Layout]] = {"rays": ray_layout, "cones": cone_layout, "combinatorial": construct}
DEFAULT = "cones"


def trees() -> None:
    """Measure distortion on the trees in the folder TERRARIUM_TREES: columns child, parent and perhaps length."""
    report_table("hyperbolic_trees", _tree_rows(Path(os.environ["TERRARIUM_TREES"])), seed=SEED)


def clades() -> None:
    """Measure the layouts on clades and on the 100,000 lowest tax ids at equal largest radius."""
    report_table("hyperbolic_radius", _clade_rows(), seed=SEED)


def whole() -> None:
    """Measure all of NCBI: the default layout with 20,000 queries, the others with 1,000."""
    report_table("hyperbolic_whole", _whole_rows(), seed=SEED)


def _tree_rows(folder: Path) -> Iterator[Row]:
    for name in TREES:
        table = pd.read_csv(folder / f"{name}.csv")
        tree = Hierarchy.from_edges(table["child"], table["parent"])
        lengths = None
        if "length" in table:
            lengths = np.zeros(len(tree))
            lengths[tree.rows(table["child"])] = table["length"]
        root_distance = tree.depth.astype(np.float64) if lengths is None else tree.sum_over_lineage(lengths)
        for radius in RADII:
            for layout_name, points in _layouts(tree, radius, lengths):
                found = distortion(tree, points, max_pairs=MAX_PAIRS, seed=SEED, root_distance=root_distance)
                yield {
                    "tree": name,
                    "nodes": len(tree),
                    "layout": layout_name,
                    "largest radius": radius,
                    "worst distortion": rounded(found.get("distortion_worst", np.inf)),
                    "mean distortion": rounded(found["distortion_mean"]),
                    "HS-DTE, worst distortion": PUBLISHED.get(name, ""),
                }


def _layouts(tree: Hierarchy, radius: float, lengths: Float64Array | None) -> Iterator[tuple[str, Layout]]:
    for name, make in LAYOUTS.items():
        yield name, make(tree, DIM, radius, lengths=lengths)
    yield "caps", cap_layout(tree, DIM, radius, lengths=lengths)
    depth_radius = radius * tree.depth / max(tree.max_depth, 1)
    yield "inherited, equal steps", Layout(depth_radius, inherited_directions(tree, DIM, 0.15, SEED))


def _clade_rows() -> Iterator[Row]:
    for clade in CLADES:
        yield from _measured(read_hierarchy(clade=clade), clade)
    yield from _measured(read_hierarchy(select="lowest_taxids"), "100,000 lowest tax ids")


def _whole_rows() -> Iterator[Row]:
    started = time.process_time()
    tree = read_hierarchy(select="all")
    reading = round(time.process_time() - started, 1)
    for name in (DEFAULT, *(name for name in LAYOUTS if name != DEFAULT)):
        started = time.process_time()
        points = LAYOUTS[name](tree, DIM, WHOLE_RADIUS)
        seconds = time.process_time() - started
        started = time.process_time()
        sample = choose_queries(tree, 0, WHOLE_QUERIES if name == DEFAULT else QUERIES, SEED)
        row = _quality(tree, "all of NCBI", WHOLE_RADIUS, name, points, sample)
        measuring = round(time.process_time() - started, 1)
        yield {
            **row,
            "queries": len(sample.rows),
            "CPU s": round(seconds, 1),
            "CPU s to read": reading,
            "CPU s to measure": measuring,
            "peak GB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 1),
        }


def _measured(tree: Hierarchy, data: str) -> Iterator[Row]:
    sample = choose_queries(tree, 0, QUERIES, SEED)
    for radius in RADII:
        started = time.process_time()
        for name, points in _layouts(tree, radius, None):
            seconds = time.process_time() - started
            yield {**_quality(tree, data, radius, name, points, sample), "CPU s": round(seconds, 1)}
            started = time.process_time()


def _quality(tree: Hierarchy, data: str, radius: float, name: str, points: Layout, sample: QuerySample) -> Row:
    found = reconstruct(tree, points, sample).metrics()
    return {
        "case": f"{data}, {name}, radius {radius:g}",
        "data": data,
        "taxa": len(tree),
        "layout": name,
        "largest radius": radius,
        "MAP by detour": rounded(found["ancestor_map_detour"]),
        "MAP by distance": rounded(found["ancestor_map_distance"]),
        "mean rank by distance": rounded(found["ancestor_mean_rank_distance"]),
        "edge MAP": rounded(found["edge_map"]),
        **_path_lengths(tree, points),
    }


def _path_lengths(tree: Hierarchy, points: Layout) -> dict[str, float]:
    found = distortion(tree, points, max_pairs=200_000, seed=SEED)
    return {
        "Spearman of path lengths": rounded(found["hops_spearman"]),
        "mean distortion": rounded(found["distortion_mean"]),
        "r of depth and radius": rounded(float(np.corrcoef(tree.depth, points.radius)[0, 1])),
    }


def read_hierarchy(**source: object) -> Hierarchy:
    """Return the hierarchy of a source, by its options that differ from the default."""
    options = SourceOptions.model_validate(parameters_of("hyperbolic", "base")["source"] | source)
    return hierarchy_of(build_taxonomy(read_source(options), options).edges)


def rounded(value: float) -> float:
    """Return a value with four digits."""
    return float(f"{value:.4g}")
