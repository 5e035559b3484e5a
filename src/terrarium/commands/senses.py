"""Questions to sense vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from terrarium.commands.output import prints_a_table, reads_artifacts

if TYPE_CHECKING:
    import pandas as pd


@click.command
@click.argument("first")
@click.argument("second")
@click.option("--how", type=click.Choice(["best", "mean"]), default="best", show_default=True, help="Pairs of senses.")
@prints_a_table
@reads_artifacts
def similarity(first: str, second: str, how: Any, **where: Any) -> pd.DataFrame:
    """Print the cosine of two words.

    Example: kedro terrarium similarity cup mug
    """
    import pandas as pd

    from terrarium.use import load

    value = load("senses", **where).similarity(first, second, how)
    return pd.DataFrame({"first": [first], "second": [second], "cosine": [value]})


@click.command
@click.argument("word")
@click.argument("context", nargs=-1)
@prints_a_table
@reads_artifacts
def senses(word: str, context: tuple[str, ...], **where: Any) -> pd.DataFrame:
    """Print the senses of WORD; with CONTEXT words, those that fit them best come first.

    Example: kedro terrarium senses bank river shore
    """
    from terrarium.use import load

    embedding = load("senses", **where)
    return embedding.disambiguate(word, context) if context else embedding.senses_of(word)
