"""Whether another runner, number of threads or hash seed changes a bit: python -m benchmarks same_bits.

Every group of pipelines runs at the sizes of conf/test once as usual and once in each other way. Compared are all
tables, metrics, figures and tensors, without times and memory.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.digests import digest_artifacts
from benchmarks.results import ROOT, Row, chosen, replace_rows


class Way(NamedTuple):
    """How a run differs from the usual one: further arguments, and environment variables."""

    arguments: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()


USUAL = Way(variables=(("OMP_NUM_THREADS", "1"), ("PYTHONHASHSEED", "0")))
WAYS = {
    "ThreadRunner": Way(("--runner=ThreadRunner",)),
    "ParallelRunner": Way(("--runner=ParallelRunner",)),
    "DaskRunner, 2 workers": Way(("--runner=terrarium.runner.DaskRunner", "--runner-params=n_workers=2")),
    "2 threads": Way(variables=(("OMP_NUM_THREADS", "2"),)),
    "another hash seed": Way(variables=(("PYTHONHASHSEED", "1"),)),
}
GROUPS = {
    "hyperbolic": "hyperbolic,hyperbolic_placement,hyperbolic_links",
    "senses": "senses,senses_reference",
    "knowledge graph, influence": "knowledge_graph,influence,influence_validation",
    "scenes": "scenes",
}


def main() -> None:
    """Compare the ways of each group, or of those in TERRARIUM_ONLY."""
    replace_rows("same_bits", _rows())


def _rows() -> Iterator[Row]:
    for group in chosen(GROUPS):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            usual = run(GROUPS[group], folder / "usual", USUAL)
            found = {
                way: compare(usual, run(GROUPS[group], folder / str(number), how))
                for number, (way, how) in enumerate(WAYS.items())
            }
        yield {"pipelines": group, "artifacts": len(usual), **found}


def run(pipelines: str, root: Path, way: Way) -> dict[str, str]:
    """Run pipelines and return the digests of what they have saved; SystemExit with the output if they fail."""
    quiet = {"KEDRO_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1", "TERRARIUM_VIZ_HOOKS": "0"}
    command = [
        sys.executable,
        "-m",
        "kedro",
        "run",
        "--env=test",
        f"--pipelines={pipelines}",
        f"--params=data_root={root}",
        *way.arguments,
    ]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | quiet | dict(USUAL.variables) | dict(way.variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stdout)
    return digest_artifacts(root)


def compare(usual: dict[str, str], other: dict[str, str]) -> str:
    """Return `same bits`, or how many artifacts differ and the first of them."""
    different = sorted(name for name in usual.keys() | other.keys() if usual.get(name) != other.get(name))
    return "same bits" if not different else f"{len(different)} differ, such as {different[0]}"
