"""Quality against the largest radius and the dimension: the layout of rays, untrained and trained, and the others."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from benchmarks.results import Row, report_table
from benchmarks.studies import Study
from terrarium.hyperbolic.data.build import hierarchy_of
from terrarium.hyperbolic.layouts.initial import constructed_layout, name_construction
from terrarium.hyperbolic.training.problem import Problem
from terrarium.hyperbolic.training.radii import measure_radii

CLADES = ("Echinodermata", "Mammalia")
SHOWN = {
    "ancestor_map_detour": "MAP by detour",
    "ancestor_map_distance": "MAP by distance",
    "edge_map": "edge MAP",
    "hops_spearman": "Spearman of path lengths",
    "distortion_mean": "mean distortion",
    "depth_radius_pearson": "r of depth and radius",
}


def main() -> None:
    """Measure every constructed layout at five largest radii, trained from rays and not, in both precisions."""
    report_table("hyperbolic_radii", _rows([(clade, {}) for clade in CLADES]))


def dimensions() -> None:
    """Measure the same in 2, 3 and 5 dimensions at radius 12."""
    changes = [{"model.dim": dim, "evaluation.radii": [12.0]} for dim in (2, 3, 5)]
    report_table("hyperbolic_dimensions", _rows([(CLADES[0], change) for change in changes]))


def _rows(studies: list[tuple[str, dict[str, Any]]]) -> Iterator[Row]:
    for clade, changes in studies:
        study = Study.of(clade, {"evaluation.max_radius_taxa": 10**9, **changes})
        for row in _measure(study).to_dict("records"):
            numbers = {label: f"{row[name]:.3f}" for name, label in SHOWN.items()}
            head = {"layout": row["layout"], "radius": row["max_radius"], "trained": row["trained"]}
            yield {"clade": clade, "dim": study.options.model.dim, **head, "precision": row["precision"], **numbers}


def _measure(study: Study) -> pd.DataFrame:
    _, edges = study.data
    tree, options = hierarchy_of(edges), study.options
    start = constructed_layout(tree, name_construction(options.model, options.training.loss.name))
    problem = Problem(tree, *tree.closure(), start.radius, start, options.model.max_radius, options.training)
    return measure_radii(problem, options.model, options.evaluation)
