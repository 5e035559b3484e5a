"""What commands have in common: where artifacts are, how tables are printed, and errors of one line."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, ParamSpec

import click

if TYPE_CHECKING:
    import pandas as pd

Format = Literal["table", "json", "csv"]
P = ParamSpec("P")


def reads_artifacts(command: Callable[P, Any]) -> Callable[P, Any]:
    """Add the options that say which artifacts a command reads."""
    for option in (
        click.option("--version", help="Version of the vectors; the newest by default."),
        click.option("--data-root", help="Folder of the artifacts; the project's by default."),
        click.option("--env", "-e", help="Configuration environment."),
    ):
        command = option(command)
    return command


def prints_a_table(command: Callable[..., pd.DataFrame]) -> Callable[..., None]:
    """Print the table that a command returns, as --json, as --csv, or for a person; end with one line on an error."""

    @click.option("--json", "print_as", flag_value="json", help="Print a list of records.")
    @click.option("--csv", "print_as", flag_value="csv", help="Print comma-separated values.")
    @functools.wraps(command)
    def wrapped(*args: Any, print_as: Format | None = None, **kwargs: Any) -> None:
        from kedro.io import DatasetError

        try:
            table = command(*args, **kwargs)
        except (LookupError, ValueError, DatasetError) as error:
            raise click.ClickException(str(error)) from error
        show(table, print_as or "table")

    return wrapped


def show(table: pd.DataFrame, form: Format) -> None:
    """Print a table: exact numbers for programs, four digits for people."""
    if form == "json":
        click.echo(table.to_json(orient="records", force_ascii=False, double_precision=15))
    elif form == "csv":
        from terrarium.reporting.csv_text import to_csv_text

        click.echo(to_csv_text(table), nl=False)
    else:
        _print_rich(table)


def _print_rich(table: pd.DataFrame) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    printed = Table(box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
    for place, (name, kind) in enumerate(table.dtypes.items()):
        justify: Literal["right", "left"] = "right" if kind.kind in "fiu" else "left"
        printed.add_column(str(name), justify=justify, overflow="fold", no_wrap=place == 0)
    for row in table.itertuples(index=False):
        printed.add_row(*(_cell(value) for value in row))
    Console().print(printed if len(table) else "nothing found", markup=False)


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)
