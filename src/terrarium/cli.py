"""Commands that this project adds to `kedro`: `kedro terrarium NAME`."""

from __future__ import annotations

import click
from kedro.framework.cli.project import run

from terrarium.commands.prune import prune

__all__ = ["cli", "run"]


@click.group(name="terrarium")
def terrarium() -> None:
    """Look after the data of this project."""


terrarium.add_command(prune)

cli = click.Group(name=__name__, commands=[terrarium])
"""What Kedro looks for in this module."""
