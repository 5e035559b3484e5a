"""Training pairs a CPU second of the compiled kernel."""

import resource
import statistics
import time

import pandas as pd

from benchmarks.checklist import problem_of
from benchmarks.parameters import options_of, with_options
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.training.cpu.trainer import CpuTrainer
from terrarium.sources.taxonomies.ncbi_package import NcbiPackage

EPOCHS = 5
LOSSES = ("detour", "distance_softmax", "margin_ranking")


def main() -> None:
    """Each objective on Mammalia and on the set of the 100,000 lowest tax ids, dim 10, 50 negatives."""
    package = NcbiPackage()
    for name, table in (("Mammalia", package.clade(40674)), ("100,000 lowest tax ids", package.lowest_taxids(100_000))):
        tree = Hierarchy.from_parents(table["id"], table["parent"])
        for loss in LOSSES:
            rates = pairs_a_second(tree, loss)
            print(
                f"{name} ({len(tree):,} taxa, {tree.pair_count:,} pairs), {loss}: "
                f"{statistics.median(rates):,.0f} pairs a CPU second "
                f"({min(rates):,.0f} to {max(rates):,.0f}, epochs 2 to {EPOCHS})",
                flush=True,
            )


def scaling() -> None:
    """One epoch of the default objective on trees of four sizes, after some on the smallest, which compile."""
    package = NcbiPackage()
    pairs_a_second(Hierarchy.from_parents(*_columns(package.clade(40674))), "detour")
    sizes = {
        "Mammalia": lambda: package.clade(40674),
        "100,000 lowest tax ids": lambda: package.lowest_taxids(100_000),
        "Arthropoda": lambda: package.clade(6656),
        "all of NCBI": package.all,
    }
    for name, read in sizes.items():
        tree = Hierarchy.from_parents(*_columns(read()))
        start = time.process_time()
        epochs = pairs_a_second(tree, "detour", epochs=1, first=1)
        spent = time.process_time() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        print(
            f"{name}: {len(tree):,} taxa, {tree.pair_count:,} pairs: {epochs[0]:,.0f} pairs a CPU second, "
            f"{tree.pair_count / epochs[0]:,.1f} CPU s an epoch, {spent:,.1f} with closure and start, "
            f"peak of the process {peak:,.0f} MB",
            flush=True,
        )


def _columns(table: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    return table["id"], table["parent"]


def pairs_a_second(tree: Hierarchy, loss: str, epochs: int = EPOCHS, first: int = 2) -> list[float]:
    """Pairs a CPU second of each epoch from `first` on; the first of a process compiles."""
    defaults = options_of("base")
    training = with_options(defaults.training.model_copy(update={"max_epochs": epochs}), loss={"name": loss})
    trainer = CpuTrainer(problem_of(tree, defaults.model_copy(update={"training": training})))
    rates = []
    for epoch in range(1, epochs + 1):
        before = time.process_time()
        trainer.epoch(epoch)
        rates.append(tree.pair_count / (time.process_time() - before))
    return rates[first - 1 :]
