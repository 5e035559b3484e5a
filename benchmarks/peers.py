"""Compare the compiled kernel with other programs: pairs per CPU second, and quality after equal CPU time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.peer_drivers import Spec, Trained
from benchmarks.results import Row, report_table
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout
from terrarium.sources.taxonomies.ncbi_package import NcbiPackage

ROOT = Path(__file__).parents[1]
REFERENCE_RATE = 975_896 / 456
"""Pairs per CPU second that "Taxonomy optimizations" reports, at dimension 10 with 50 negatives."""
THROUGHPUT_SECONDS, QUALITY_SECONDS = 10.0, 60.0
HANG_LIMIT = 120.0
"""Seconds of wall time for a program that is known to hang."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
DISTANCE_SOFTMAX = {
    "loss": {"name": "distance_softmax", "temperature": 1.0, "positive_weight": 0.0},
    "sampler": {"hard_negative_ancestors": 4},
    "optimizer": {"train_radius": True, "learning_rate": 0.03},
    "schedule": {"final_learning_rate": 0.003},
    "batch_size": 64,
}
MARGIN_RANKING = {
    "loss": {"name": "margin_ranking", "pair_weights": "sqrt_depth", "radius_penalty": 0.1},
    "optimizer": {"train_radius": True, "learning_rate": 0.005},
    "schedule": {"final_learning_rate": 0.005},
    "batch_size": 64,
}
DETOUR: dict[str, Any] = {"loss": {"name": "detour"}}
OBJECTIVES: dict[str, dict[str, Any]] = {
    "detour": DETOUR,
    "distance_softmax": DISTANCE_SOFTMAX,
    "margin_ranking": MARGIN_RANKING,
}
_FILES = {"Mammalia": "mammalia", "100,000 lowest tax ids": "lowest_taxids"}
UNTRAINED = "Terrarium, inherited start, untrained"
CONSTRUCTED = "Terrarium, default: constructed, not trained"


@dataclass(frozen=True)
class Contender:
    """A program with its settings; `needs` is the module that it imports."""

    name: str
    needs: str
    settings: dict[str, Any]

    @property
    def negatives(self) -> int:
        """Return the number of negatives per pair."""
        if "options" in self.settings:
            return int(self.settings["options"]["sampler"]["num_negatives"])
        return int(self.settings["negatives"])


def peers() -> list[Contender]:
    """Return the other programs, geoopt and torch with the best learning rates of `search_rates`."""
    return [
        Contender("gensim, 10 negatives, batch 10", "gensim", _gensim(10)),
        Contender("geoopt RSGD, batch 1024", "geoopt", _peer("geoopt_rsgd", 1024)),
        Contender("geoopt RSGD, batch 64", "geoopt", _peer("geoopt_rsgd", 64)),
        Contender("geoopt RAdam, batch 1024", "geoopt", _peer("geoopt_radam", 1024)),
        Contender("geoopt RAdam, batch 64", "geoopt", _peer("geoopt_radam", 64)),
        Contender("torch autograd, batch 1024", "torch", _peer("torch", 1024)),
        Contender("torch autograd, batch 64", "torch", _peer("torch", 64)),
    ]


RATES = {
    ("geoopt_rsgd", 64): 1.0,
    ("geoopt_rsgd", 1024): 0.3,
    ("geoopt_radam", 64): 0.1,
    ("geoopt_radam", 1024): 0.3,
    ("torch", 64): 3.0,
    ("torch", 1024): 0.3,
}
"""Learning rates by program and batch, for losses summed over the batch; chosen by `search_rates`."""
RATE_GRID, RATE_SECONDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0), 20.0


def ours(negatives: int, init: str = "inherited") -> list[Contender]:
    """Return Terrarium with each objective and a number of negatives, of which up to 16 are hard."""
    found = []
    for name, options in OBJECTIVES.items():
        hard = min(negatives, 16) if name != "margin_ranking" else 0
        sampler = options.get("sampler", {}) | {"num_negatives": negatives, "hard_negatives": hard}
        settings = {"program": "terrarium", "options": options | {"sampler": sampler}, "init": init}
        start = "" if init == "inherited" else f", {init} start"
        found.append(Contender(f"Terrarium, {name}, {negatives} negatives{start}", "terrarium", settings))
    return found


def main() -> None:
    """Measure pairs per CPU second; a program that exceeds its time is killed."""
    package = NcbiPackage()
    throughput({"Mammalia": package.clade(40674), "100,000 lowest tax ids": package.lowest_taxids(100_000)})


def equal_time() -> None:
    """Compare quality after equal CPU time, on Mammalia."""
    quality({"Mammalia": NcbiPackage().clade(40674)})


def search_rates() -> None:
    """Train each program on Mammalia with a grid of learning rates; `RATES` are the best."""
    table = NcbiPackage().clade(40674)
    tree = Hierarchy.from_parents(table["id"], table["parent"])
    heading("Mammalia", tree, f"{RATE_SECONDS:.0f} CPU seconds each")
    report_table("peers_rates", _rates(tree, table))


def _rates(tree: Hierarchy, table: pd.DataFrame) -> Iterator[Row]:
    for program, batch in RATES:
        for rate in RATE_GRID:
            settings = _peer(program, batch) | {"rate": rate}
            done = run(Contender(program, program.split("_")[0], settings), table, RATE_SECONDS)
            found = [done, "", ""] if isinstance(done, str) else measures(tree, done.layout)
            yield {"program": program, "batch": batch, "learning rate": f"{rate:g}"} | _named(found)


def throughput(tables: dict[str, pd.DataFrame], seconds: float = THROUGHPUT_SECONDS) -> None:
    """Measure pairs per CPU second on each data set; gensim also with 50 negatives, where it hangs.

    The last columns are the ratios of Terrarium's objectives to the program, at the same number of negatives.
    """
    for name, table in tables.items():
        tree = Hierarchy.from_parents(table["id"], table["parent"])
        heading(name, tree, f"{seconds:.0f} CPU seconds each (ours: whole epochs, at least one)")
        report_table(f"peers_{_FILES[name]}", _throughput(table, seconds))


def _throughput(table: pd.DataFrame, seconds: float) -> Iterator[Row]:
    hanging = Contender("gensim, 50 negatives, batch 10", "gensim", _gensim(50))
    columns = ("program", "pairs per CPU second", "times the reference program", *(f"{o} / this" for o in OBJECTIVES))
    known: dict[int, list[float]] = {50: [], 10: []}
    for contender in [*ours(50), *ours(10), *peers(), hanging]:
        done = run(contender, table, seconds, HANG_LIMIT if contender is hanging else None)
        if isinstance(done, str):
            yield dict(zip(columns, [contender.name, done, "", *[""] * len(OBJECTIVES)], strict=True))
            continue
        rate = done.pairs / done.cpu
        mine = known[contender.negatives]
        ratios = [f"{other / rate:.1f}x" for other in mine] if len(mine) == len(OBJECTIVES) else [""] * len(OBJECTIVES)
        cells = [contender.name, f"{rate:.0f}", f"{rate / REFERENCE_RATE:.1f}x", *ratios]
        yield dict(zip(columns, cells, strict=True))
        if contender.needs == "terrarium":
            mine.append(rate)


def quality(tables: dict[str, pd.DataFrame], seconds: float = QUALITY_SECONDS) -> None:
    """Measure exact reconstruction after equal CPU time."""
    for name, table in tables.items():
        tree = Hierarchy.from_parents(table["id"], table["parent"])
        heading(name, tree, f"{seconds:.0f} CPU seconds each")
        report_table("peers_quality", _quality(tree, table, seconds))


def _quality(tree: Hierarchy, table: pd.DataFrame, seconds: float) -> Iterator[Row]:
    yield {"program": UNTRAINED, "CPU s": 0, "epochs": 0} | _named(measures(tree, untrained(tree)))
    begun = time.process_time()
    layout = constructed(tree)
    cpu = time.process_time() - begun
    yield {"program": CONSTRUCTED, "CPU s": f"{cpu:.1f}", "epochs": 0} | _named(measures(tree, layout))
    for contender in [*ours(50), *ours(50, "random"), *peers()]:
        done = run(contender, table, seconds)
        if isinstance(done, str):
            yield {"program": contender.name, "CPU s": done}
            continue
        row = {"program": contender.name, "CPU s": f"{done.cpu:.0f}", "epochs": f"{done.pairs / tree.pair_count:.1f}"}
        yield row | _named(measures(tree, done.layout))


def _named(values: list[str]) -> dict[str, str]:
    return dict(zip(METRICS, values, strict=True))


METRICS = {
    "MAP by distance": "ancestor_map_distance",
    "MAP by detour": "ancestor_map_detour",
    "edge MAP": "edge_map",
}


def measures(tree: Hierarchy, layout: Layout) -> list[str]:
    """Return the metrics of a layout with every taxon as a query, or the error if it cannot be measured."""
    from terrarium.hyperbolic.evaluation.reconstruction import choose_queries, reconstruct

    try:
        found = reconstruct(tree, layout, choose_queries(tree, len(tree), 1, 0)).metrics()
    except ValueError as error:
        return [str(error), *[""] * (len(METRICS) - 1)]
    return [f"{found[key]:.3f}" for key in METRICS.values()]


def untrained(tree: Hierarchy) -> Layout:
    """Return the layout that Terrarium starts from."""
    from benchmarks.peer_drivers import our_problem

    layout: Layout = our_problem(Spec("terrarium", "", "", 0.0), tree, epochs=1).initial
    return layout


def constructed(tree: Hierarchy) -> Layout:
    """Return the layout that the defaults give, in ten dimensions at the default's largest radius."""
    from benchmarks.parameters import options_of
    from terrarium.hyperbolic.layouts.initial import constructed_layout, name_construction

    options = options_of("local")
    return constructed_layout(tree, name_construction(options.model, options.training.loss.name))


def run(contender: Contender, table: pd.DataFrame, seconds: float, limit: float | None = None) -> Trained | str:
    """Train in a separate process with one thread; return the result, or the reason why there is none.

    Args:
        contender: the program.
        table: columns id and parent.
        seconds: CPU seconds of training.
        limit: seconds of wall time after which it is killed; None: enough for a machine busy with other work.
    """
    if find_spec(contender.needs) is None:
        return f"{contender.needs} is not installed: pip install -e '.[bench]'"
    limit = 300.0 + 6.0 * seconds if limit is None else limit
    with tempfile.TemporaryDirectory() as folder:
        spec = Spec(data=f"{folder}/data.npz", out=f"{folder}/out.npz", seconds=seconds, **contender.settings)
        np.savez(spec.data, id=table["id"], parent=table["parent"])
        command = [sys.executable, "-m", "benchmarks.peer_drivers", json.dumps(asdict(spec))]
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=os.environ | ONE_THREAD,
                capture_output=True,
                text=True,
                timeout=limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"nothing after {limit:.0f} s of wall time, killed"
        if done.returncode:
            return (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
        with np.load(spec.out) as out:
            return Trained(int(out["pairs"]), float(out["cpu"]), Layout(out["radius"], out["direction"]))


def heading(name: str, tree: Hierarchy, what: str) -> None:
    """Print the title of a table: data set, size and settings."""
    print(f"\n{name} ({len(tree):,} taxa, {tree.pair_count:,} pairs), dimension 10, one thread, {what}:\n", flush=True)


def _gensim(negatives: int) -> dict[str, Any]:
    return {"program": "gensim", "negatives": negatives, "batch": 10, "rate": 0.1}


def _peer(program: str, batch: int) -> dict[str, Any]:
    return {"program": program, "negatives": 50, "batch": batch, "rate": RATES[program, batch]}
