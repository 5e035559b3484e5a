"""Commands that this project adds to `kedro`: `kedro terrarium NAME`."""

from __future__ import annotations

import click
from kedro.framework.cli.project import run

from terrarium.commands import export, hyperbolic, knowledge_graph, runs, scenes, senses
from terrarium.commands.explore import explore
from terrarium.commands.prune import prune
from terrarium.commands.sweep import sweep

__all__ = ["cli", "run"]


@click.group(name="terrarium")
def terrarium() -> None:
    """Ask finished runs, and look after their data."""


for command in (
    hyperbolic.nearest,
    hyperbolic.ancestors,
    hyperbolic.descendants,
    hyperbolic.relate,
    hyperbolic.place,
    senses.senses,
    senses.similarity,
    knowledge_graph.predict,
    knowledge_graph.score_matrix,
    knowledge_graph.explain,
    scenes.similar,
    scenes.clusters,
    explore,
    export.export,
    runs.versions,
    runs.compare,
    runs.stale,
    prune,
    sweep,
):
    terrarium.add_command(command)

cli = click.Group(name=__name__, commands=[terrarium])
"""What Kedro looks for in this module."""
