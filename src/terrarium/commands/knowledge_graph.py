"""Questions to a trained knowledge graph."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from terrarium.commands.output import prints_a_table, reads_artifacts

if TYPE_CHECKING:
    import pandas as pd

    from terrarium.kge.use.embedding import GraphEmbedding


@click.command
@click.option("--head", help="Id or name of the head.")
@click.option("--relation", help="Id or name of the relation.")
@click.option("--tail", help="Id or name of the tail.")
@click.option("-k", default=10, show_default=True, type=click.IntRange(1), help="Number of answers.")
@click.option("--among", help="Category of the entities that count; by default answers of the relation.")
@click.option("--known", is_flag=True, help="Also show answers that the graph has.")
@prints_a_table
@reads_artifacts
def predict(k: int, among: str | None, known: bool, **given: Any) -> pd.DataFrame:
    """Predict the part of a triple that is left out: give two of --head, --relation and --tail.

    Example: kedro terrarium predict --head "Lyssavirus khujand" --relation infects -k 5
    """
    parts = {name: given.pop(name) for name in ("head", "relation", "tail")}
    return _open(**given).predict(**parts, k=k, among=among, known=known)


@click.command("score-matrix")
@click.argument("head_category")
@click.argument("tail_category")
@click.argument("relation")
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@prints_a_table
@reads_artifacts
def score_matrix(head_category: str, tail_category: str, relation: str, path: Path, **where: Any) -> pd.DataFrame:
    """Write scores, probabilities and ranks of all pairs of two categories to PATH (Parquet); print recall of the
    held-out pairs.

    Example: kedro terrarium score-matrix biolink:Drug biolink:Disease biolink:treats pairs.parquet
    """
    done = _open(**where).score_matrix(head_category, tail_category, relation, path)
    known = ", ".join(f"{count:,} in {split}" for split, count in done.known.items()) or "none"
    click.echo(f"{done.path}: {done.pairs:,} pairs; known: {known}", err=True)
    return done.recall


@click.command
@click.argument("head")
@click.argument("relation")
@click.argument("tail")
@click.option("-k", default=10, show_default=True, type=click.IntRange(1), help="Number of triples on each side.")
@prints_a_table
@reads_artifacts
def explain(head: str, relation: str, tail: str, k: int, **where: Any) -> pd.DataFrame:
    """Print the training triples that raised (proponents) or lowered (opponents) the score of a triple.

    Example: kedro terrarium explain "Lyssavirus khujand" infects vertebrates -k 5
    """
    return _open(**where).explain(head, relation, tail, k)


def _open(**where: Any) -> GraphEmbedding:
    from terrarium.use import load

    return load("knowledge_graph", **where)
