"""Questions to embedded scenes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from terrarium.commands.output import prints_a_table, reads_artifacts

if TYPE_CHECKING:
    import pandas as pd


@click.command
@click.argument("scene")
@click.option("-k", default=10, show_default=True, type=click.IntRange(1), help="Number of scenes.")
@prints_a_table
@reads_artifacts
def similar(scene: str, k: int, **where: Any) -> pd.DataFrame:
    """Print the scenes that are most like SCENE (a scene or a graph).

    Example: kedro terrarium similar real/00003 -k 5
    """
    from terrarium.use import load

    return load("scenes", **where).similar(scene, k)


@click.command
@click.option("--count", default=12, show_default=True, type=click.IntRange(1), help="Number of clusters.")
@prints_a_table
@reads_artifacts
def clusters(count: int, **where: Any) -> pd.DataFrame:
    """Print groups of similar scene graphs, with an exemplar and the tags that stand out.

    Example: kedro terrarium clusters --count 8
    """
    from terrarium.use import load

    return load("scenes", **where).clusters(count)
