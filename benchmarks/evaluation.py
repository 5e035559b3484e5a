"""Exact reconstruction of ancestors and edges, with every taxon as a query, by distance and by detour."""

import time
from collections.abc import Iterator

from benchmarks.parameters import options_of
from benchmarks.results import Row, report_table
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.evaluation.reconstruction import choose_queries, reconstruct
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.hyperbolic.layouts.initial import inherited_directions
from terrarium.hyperbolic.layouts.targets import target_radii
from terrarium.sources.taxonomies.ncbi_package import NcbiPackage


def main() -> None:
    """Time Mammalia (twice, since the first call compiles) and the 100,000 lowest tax ids, untrained."""
    report_table("evaluation", _rows())


def _rows() -> Iterator[Row]:
    package = NcbiPackage()
    mammals, lowest = package.clade(40674), package.lowest_taxids(100_000)
    for name, table in (("Mammalia, first call", mammals), ("Mammalia", mammals), ("100,000 lowest tax ids", lowest)):
        tree = Hierarchy.from_parents(table["id"], table["parent"])
        directions = inherited_directions(tree, 10, 0.15, 0)
        layout = Layout(
            target_radii(tree.depth, options_of("recipes/hyperbolic/prescribed_norms").features), directions
        )
        wall, cpu = time.perf_counter(), time.process_time()
        reconstruct(tree, layout, choose_queries(tree, len(tree), 1, 0))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        yield {"data": f"{name}, {len(tree):,} taxa", "wall s": f"{wall:.1f}", "CPU s": f"{cpu:.1f}"}
