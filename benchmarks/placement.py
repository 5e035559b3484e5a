"""Place held-out taxa from a few noisy relatives: layouts and rules that need none."""

from collections.abc import Iterator

from benchmarks.parameters import options_of
from benchmarks.results import Row, report_table
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.data.holdout import hold_out_taxa
from terrarium.hyperbolic.evaluation.placement import draw_relatives, evaluate_placement
from terrarium.hyperbolic.layouts.combinatorial import construct
from terrarium.hyperbolic.layouts.rays import ray_layout
from terrarium.sources.taxonomies.ncbi_package import NcbiPackage

CLADES = ("Mammalia", "Echinodermata", "Cnidaria")
NOISE = ((0.0, 0.0), (0.2, 0.1), (0.4, 0.2))
"""Error of the distances (standard deviation of their logarithm), and fraction of wrong relatives."""


def main() -> None:
    """Measure layouts at largest radius 34 and 12 and the rules, over three clades and three levels of noise."""
    report_table("placement", _rows())


def _rows() -> Iterator[Row]:
    package, holdout = NcbiPackage(), options_of("base").holdout
    for clade in CLADES:
        table = package.clade(clade)
        tree = Hierarchy.from_parents(table["id"], table["parent"])
        chosen = hold_out_taxa(
            tree,
            leaf_fraction=holdout.leaf_fraction,
            clade_fraction=holdout.clade_fraction,
            max_clade_size=holdout.max_clade_size,
            seed=holdout.seed,
        )
        rest = tree.part(chosen.keep)
        parents = rest.rows(tree.ids[tree.parent[chosen.rows]])
        layouts = {
            "rays, radius 34": ray_layout(rest, 10, 34.0),
            "rays, radius 12": ray_layout(rest, 10, 12.0),
            "combinatorial, radius 34": construct(rest, 10, 34.0),
        }
        for noise, wrong in NOISE:
            options = holdout.model_copy(update={"relative_noise": noise, "wrong_relatives": wrong})
            found = evaluate_placement(rest, layouts, parents, chosen.kind, draw_relatives(rest, parents, options))
            for row in found.table[found.table["kind"] == "leaf"].itertuples():
                yield {
                    "setting": f"{clade}, noise {noise:g}, wrong {wrong:g}",
                    "layout or rule": f"{row.layout}, {row.score}".rstrip(", "),
                    "leaves": row.taxa,
                    "exact": f"{row.exact:.3f}",
                    "hops": f"{row.hops:.3f}",
                    "Wu-Palmer": f"{row.wu_palmer:.3f}",
                }
