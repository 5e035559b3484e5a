"""Held-out hosts of viruses: points learned in the space of the hierarchy, and methods that need no training."""

from collections.abc import Iterator

import numpy as np

from benchmarks.parameters import options_of
from benchmarks.results import Row, report_table
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.associations.evaluate import evaluate_associations
from terrarium.hyperbolic.associations.table import VIRUS_HOST, read_associations, split_associations
from terrarium.hyperbolic.associations.targets import targets_of
from terrarium.hyperbolic.layouts.rays import ray_layout
from terrarium.sources.graphs.virus_host import VIRUSES
from terrarium.sources.taxonomies.ncbi_package import NcbiPackage

RADIUS = 12.0
PHYLUM = "Pisuviricota"


def main() -> None:
    """Measure the RNA viruses of one phylum with a known host, split by species and by genus."""
    report_table("associations_pisuviricota", _rows(PHYLUM))


def everything() -> None:
    """Measure all virus species with a known host, split by species and by genus."""
    report_table("associations_virus_host", _rows(VIRUSES))


def _rows(clade: int | str) -> Iterator[Row]:
    table = NcbiPackage().clade(clade)
    whole = Hierarchy.from_parents(table["id"], table["parent"])
    hosts = read_associations(VIRUS_HOST, table)
    hosts = hosts[hosts["node"].isin(table.loc[table["rank"] == "species", "id"])]
    keep = np.zeros(len(whole), bool)
    for row in whole.rows(hosts["node"].unique()):
        keep[[row, *whole.ancestors(int(row))]] = True
    tree = whole.part(keep)
    ranks = table.set_index("id")["rank"].loc[tree.ids]
    layout = ray_layout(tree, 10, RADIUS)
    for split_rank in (None, "genus"):
        options = options_of("base").associations.model_copy(update={"split_rank": split_rank})
        split = split_associations(hosts, tree, ranks, options)
        for row in evaluate_associations(tree, layout, targets_of(split, tree), options).table.itertuples():
            yield {
                "held out": "species" if split_rank is None else "whole genera",
                "method": row.method,
                "links": f"{row.links:.0f}",
                "MRR": f"{row.mrr:.3f}",
                "Hits@1": f"{row.hits_at_1:.3f}",
                "ancestor MAP": "" if np.isnan(row.ancestor_map_detour) else f"{row.ancestor_map_detour:.3f}",
            }
