"""Questions about runs: which there are, and how two of them differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from terrarium.commands.output import prints_a_table

if TYPE_CHECKING:
    import pandas as pd


@click.command
@click.option("--data-root", help="Folder of the artifacts; the project's by default.")
@click.option("--env", "-e", help="Configuration environment.")
@prints_a_table
def versions(data_root: str | None, env: str | None) -> pd.DataFrame:
    """Print all runs, the newest first: what they ran, how they ended, how long they took.

    Example: kedro terrarium versions --json
    """
    from terrarium.use.runs import list_runs

    return list_runs(_manifests(data_root, env))


@click.command
@click.argument("first")
@click.argument("second")
@click.option("--data-root", help="Folder of the artifacts; the project's by default.")
@click.option("--env", "-e", help="Configuration environment.")
@prints_a_table
def compare(first: str, second: str, data_root: str | None, env: str | None) -> pd.DataFrame:
    """Print the parameters, packages and metrics in which the runs FIRST and SECOND differ.

    Example: kedro terrarium compare 2026-01-31T12.00.00.000Z 2026-01-31T13.00.00.000Z
    """
    from terrarium.use import Artifacts
    from terrarium.use.runs import compare_runs

    return compare_runs(Artifacts(data_root, env), first, second)


@click.command
@click.option("--data-root", help="Folder of the artifacts; the project's by default.")
@prints_a_table
def stale(data_root: str | None) -> pd.DataFrame:
    """Print outputs that are older than their code, parameters or inputs.

    Example: kedro terrarium stale
    """
    from terrarium.use.stale import list_stale

    return list_stale(data_root)


def _manifests(data_root: str | None, env: str | None):  # type: ignore[no-untyped-def]
    from terrarium.use import Artifacts

    return Artifacts(data_root, env).manifests()
