"""`kedro terrarium prune`: remove trainings that are no longer needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import CatalogProtocol
from omegaconf import OmegaConf

if TYPE_CHECKING:
    from terrarium.training.checkpointing.store import TrainingStore


@click.command()
@click.option("--dry-run", is_flag=True, help="List what would be removed, and remove nothing.")
@click.option(
    "--unarchived",
    is_flag=True,
    help="Also remove unfinished trainings, which could be resumed, and results that are in no version.",
)
@click.option(
    "--keep",
    type=click.IntRange(1),
    help="Also remove the versions of all but the newest so many runs of each family; what these were made from stays.",
)
@click.option("--env", help="Kedro environment, as for `kedro run`.")
@click.option("--params", default="", help="Such as data_root=/data, as for `kedro run`.")
def prune(dry_run: bool, unarchived: bool, keep: int | None, env: str | None, params: str) -> None:
    """Remove the working folders of finished trainings whose checkpoints are archived.

    Versions of datasets stay without --keep. A training that a process is working on stays as well.

    Example: kedro terrarium prune --keep 5 --dry-run
    """
    from terrarium.training.checkpointing.pruning import prune as prune_store

    total = 0
    catalog = _load_catalog(env, params)
    if keep is not None:
        _prune_versions(catalog, keep, dry_run)
    for store in _stores(catalog):
        for found in prune_store(store, unarchived=unarchived, dry_run=dry_run):
            verb = "would remove" if dry_run else "removed"
            click.echo(f"{verb} {found.folder} ({found.status}; {found.size / 1e6:.1f} MB)")
            total += 1
    click.echo(f"{total} trainings {'to remove' if dry_run else 'removed'}")


def _load_catalog(env: str | None, params: str) -> CatalogProtocol:
    project, given = Path.cwd(), OmegaConf.from_dotlist([part for part in params.split(",") if part])
    bootstrap_project(project)
    runtime_params = {str(name): value for name, value in given.items()}
    return KedroSession.create(project, env=env, runtime_params=runtime_params).load_context().catalog


def _prune_versions(catalog: CatalogProtocol, keep: int, dry_run: bool) -> None:
    from terrarium.hooks.catalogs import versioned_datasets
    from terrarium.use.pruning import old_versions, remove_version

    names = {name for pipeline in pipelines.values() for name in pipeline.datasets()}
    datasets = versioned_datasets(catalog, names)
    found = old_versions(catalog, names, keep)
    for name, version in found:
        click.echo(f"{'would remove' if dry_run else 'removed'} {name}:{version}")
        if not dry_run:
            remove_version(datasets[name], version)
    click.echo(f"{len(found)} versions {'to remove' if dry_run else 'removed'}")


def _stores(catalog: CatalogProtocol) -> Iterator[TrainingStore]:
    """Return the working store of each training."""
    names = {name for pipeline in pipelines.values() for name in pipeline.datasets()}
    for name in sorted(names):
        dataset = catalog.get(name) if name.endswith(".training_state") else None
        if dataset is not None:
            yield dataset.load()
