"""`kedro terrarium sweep`: the same pipelines with several recipes and seeds, side by side."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import click

from terrarium.common.options import expand_path
from terrarium.runner.dask_runner import connect_to


class Job(NamedTuple):
    """One run of a sweep: its recipe (an environment), its seed, where it writes, and the command."""

    recipe: str
    seed: int
    data_root: Path
    command: list[str]


@click.command()
@click.option("--pipelines", required=True, help="Such as knowledge_graph, as for `kedro run`.")
@click.option("--recipes", default="local", help="Environments, as for --env of `kedro run`, separated by commas.")
@click.option("--seeds", default="0", help="Seeds, separated by commas.")
@click.option("--params", default="", help="Further parameters of every run, as for `kedro run`.")
@click.option("--data-root", type=click.Path(path_type=Path), default=Path("data/sweep"), help="Folder of all runs.")
@click.option("--workers", type=click.IntRange(1), default=1, help="Runs at a time on this machine.")
@click.option("--address", help="Scheduler of a Dask cluster whose workers do the runs instead.")
def sweep(
    pipelines: str, recipes: str, seeds: str, params: str, data_root: Path, workers: int, address: str | None
) -> None:
    """Run recipes x seeds, each in a folder of its own, and collect the metrics in sweep.csv.

    Example: kedro terrarium sweep --pipelines=scenes --recipes=test --seeds=0,1 --workers=2
    """
    root = Path(expand_path(str(data_root))).absolute()
    jobs = [
        _job(pipelines, recipe, int(seed), params, root) for recipe in recipes.split(",") for seed in seeds.split(",")
    ]
    with ExitStack() as stack:
        executor: Executor
        if address:
            executor = stack.enter_context(stack.enter_context(connect_to(address)).get_executor(pure=False))
        else:
            executor = stack.enter_context(ThreadPoolExecutor(workers))
        futures = [executor.submit(run_job, job) for job in jobs]
        failed = []
        for job, future in zip(jobs, futures, strict=True):
            code, last = future.result()
            click.echo(f"{job.recipe} seed {job.seed}: {'done' if code == 0 else last} ({job.data_root})")
            failed += [job] if code else []
    write_table(root / "sweep.csv", jobs)
    click.echo(f"metrics: {root / 'sweep.csv'}")
    if failed:
        raise click.ClickException(f"{len(failed)} of {len(jobs)} runs failed; run the same command again to resume")


def run_job(job: Job) -> tuple[int, str]:
    """Do a run in a process of its own, with its log in run.log; return its exit status and the log's last line."""
    job.data_root.mkdir(parents=True, exist_ok=True)
    with (job.data_root / "run.log").open("w", encoding="utf-8") as log:
        code = subprocess.run(job.command, stdout=log, stderr=subprocess.STDOUT, check=False).returncode
    lines = (job.data_root / "run.log").read_text(encoding="utf-8").strip().splitlines()
    return code, lines[-1] if lines else ""


def write_table(path: Path, jobs: list[Job]) -> None:
    """Write the newest metrics of each run: recipe, seed, family, metric, value."""
    import pandas as pd

    from terrarium.reporting.csv_text import to_csv_text

    rows = [(job.recipe, job.seed, *row) for job in jobs for row in _metrics(job.data_root)]
    table = pd.DataFrame(rows, columns=["recipe", "seed", "family", "metric", "value"])
    path.write_text(to_csv_text(table), encoding="utf-8")


def _metrics(data_root: Path) -> Iterator[tuple[str, str, float]]:
    for dataset in sorted((data_root / "08_reporting").glob("*/metrics.json")):
        newest = max(dataset.glob("*/metrics.json"), key=lambda path: path.parent.name)
        for name, value in json.loads(newest.read_text(encoding="utf-8")).items():
            if isinstance(value, int | float):
                yield dataset.parent.name, name, value


def _job(pipelines: str, recipe: str, seed: int, params: str, root: Path) -> Job:
    folder = root / recipe.replace("/", "_") / f"seed_{seed}"
    given = ",".join(part for part in (f"data_root={folder}", f"seed={seed}", params) if part)
    command = [sys.executable, "-m", "kedro", "run", f"--env={recipe}", f"--pipelines={pipelines}", f"--params={given}"]
    return Job(recipe, seed, folder, command)
