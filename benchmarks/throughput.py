"""Training pairs per CPU second of the compiled kernel."""

import statistics
import time
from collections.abc import Iterator

import pandas as pd

from benchmarks.checklist import problem_of
from benchmarks.parameters import options_of, with_options
from benchmarks.results import Row, report_table
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.training.cpu.trainer import CpuTrainer
from terrarium.sources.taxonomies.ncbi_package import NcbiPackage
from terrarium.training.history import peak_memory_mb

EPOCHS = 5
LOSSES = ("detour", "distance_softmax", "margin_ranking")


def main() -> None:
    """Train each objective on Mammalia and on the 100,000 lowest tax ids, dimension 10, 50 negatives."""
    report_table("throughput", _objectives())


def _objectives() -> Iterator[Row]:
    package = NcbiPackage()
    for name, table in (("Mammalia", package.clade(40674)), ("100,000 lowest tax ids", package.lowest_taxids(100_000))):
        tree = Hierarchy.from_parents(table["id"], table["parent"])
        for loss in LOSSES:
            rates = pairs_a_second(tree, loss)
            yield {
                "data": f"{name}, {len(tree):,} taxa, {tree.pair_count:,} pairs",
                "objective": loss,
                "pairs per CPU second, median (range)": (
                    f"{statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"
                ),
            }


def scaling() -> None:
    """Train one epoch of the default objective on trees of four sizes, after a few that compile."""
    report_table("scaling", _sizes())


def _sizes() -> Iterator[Row]:
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
        yield {
            "data": name,
            "taxa": len(tree),
            "pairs": tree.pair_count,
            "pairs per CPU second": f"{epochs[0]:.0f}",
            "CPU s per epoch": f"{tree.pair_count / epochs[0]:.1f}",
            "CPU s with closure and initial layout": f"{spent:.1f}",
            "peak MB of the process so far": f"{peak_memory_mb():.0f}",
        }


def threads() -> None:
    """Train Mammalia with one thread and with two, epoch by epoch in turn."""
    report_table("threads", _threads())


def _threads() -> Iterator[Row]:
    tree = Hierarchy.from_parents(*_columns(NcbiPackage().clade(40674)))
    trainers = {count: _trainer(tree, "detour", EPOCHS + 1, {"threads": count}) for count in (1, 2)}
    spent: dict[int, list[tuple[float, float]]] = {count: [] for count in trainers}
    for epoch in range(1, EPOCHS + 2):
        for count, trainer in trainers.items():
            wall, cpu = time.perf_counter(), time.process_time()
            trainer.epoch(epoch)
            spent[count].append((time.perf_counter() - wall, time.process_time() - cpu))
    alone = statistics.median(cpu for _, cpu in spent[1][1:])
    for count, epochs in spent.items():
        wall, cpu = (statistics.median(costs) for costs in zip(*epochs[1:], strict=True))
        yield {
            "threads": count,
            "pairs per epoch": tree.pair_count,
            "CPU s per epoch": f"{cpu:.2f}",
            "wall s per epoch": f"{wall:.2f}",
            "processors at work": f"{cpu / wall:.2f}",
            "speed-up if each thread has a free core": f"{count * alone / cpu:.2f}",
        }


def _trainer(tree: Hierarchy, loss: str, epochs: int, changes: dict[str, object]) -> CpuTrainer:
    defaults = options_of("recipes/hyperbolic/prescribed_norms")
    training = with_options(defaults.training.model_copy(update={"max_epochs": epochs, **changes}), loss={"name": loss})
    return CpuTrainer(problem_of(tree, defaults.model_copy(update={"training": training})))


def _columns(table: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    return table["id"], table["parent"]


def pairs_a_second(tree: Hierarchy, loss: str, epochs: int = EPOCHS, first: int = 2) -> list[float]:
    """Return pairs per CPU second of each epoch from `first` on; the first of a process compiles."""
    trainer = _trainer(tree, loss, epochs, {})
    rates = []
    for epoch in range(1, epochs + 1):
        before = time.process_time()
        trainer.epoch(epoch)
        rates.append(tree.pair_count / (time.process_time() - before))
    return rates[first - 1 :]
