"""`kedro terrarium prune`: remove trainings that are no longer needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import CatalogProtocol
from omegaconf import OmegaConf


@click.command()
@click.option("--dry-run", is_flag=True, help="List what would be removed, and remove nothing.")
@click.option(
    "--unarchived",
    is_flag=True,
    help="Also remove unfinished trainings, which could be resumed, and results that are in no version.",
)
@click.option("--env", help="Kedro environment, as for `kedro run`.")
@click.option("--params", default="", help="Such as data_root=/data, as for `kedro run`.")
def prune(dry_run: bool, unarchived: bool, env: str | None, params: str) -> None:
    """Remove the working folders of finished trainings whose checkpoints are archived.

    Versions of datasets stay. A training that a process is working on stays as well.

    Example: kedro terrarium prune --dry-run
    """
    from terrarium.training.checkpointing.pruning import prune as prune_store

    with _session(env, params) as session:
        stores = dict(_stores(session.load_context().catalog))
        total = 0
        for store in stores.values():
            for found in prune_store(store, unarchived=unarchived, dry_run=dry_run):
                verb = "would remove" if dry_run else "removed"
                click.echo(f"{verb} {found.folder} ({found.status}; {found.size / 1e6:.1f} MB)")
                total += 1
    click.echo(f"{total} trainings {'to remove' if dry_run else 'removed'}")


def _session(env: str | None, params: str) -> KedroSession:
    project, given = Path.cwd(), OmegaConf.from_dotlist([part for part in params.split(",") if part])
    bootstrap_project(project)
    return KedroSession.create(project, env=env, runtime_params=OmegaConf.to_container(given))


def _stores(catalog: CatalogProtocol) -> Iterator[tuple[str, Any]]:
    """Return the working store of each training, by the name of its dataset."""
    names = {name for pipeline in pipelines.values() for name in pipeline.datasets()}
    for name in sorted(names):
        if name.endswith(".training_state"):
            dataset = catalog.get(name)
            if dataset is not None:
                yield name, dataset.load()
