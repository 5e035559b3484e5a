"""Questions to a hyperbolic layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from terrarium.commands.output import prints_a_table, reads_artifacts

if TYPE_CHECKING:
    import pandas as pd

    from terrarium.hyperbolic.use.embedding import HyperbolicEmbedding


@click.command
@click.argument("items", nargs=-1, required=True)
@click.option("-k", default=10, show_default=True, type=click.IntRange(1), help="Number of neighbours.")
@click.option("--family", type=click.Choice(["hyperbolic", "senses"]), default="hyperbolic", show_default=True)
@prints_a_table
@reads_artifacts
def nearest(items: tuple[str, ...], k: int, family: str, **where: Any) -> pd.DataFrame:
    """Print the nearest neighbours of ITEMS (names, ids or keys).

    Example: kedro terrarium nearest "Homo sapiens" -k 5
    """
    if family == "hyperbolic":
        embedding = _open(**where)
        return embedding.nearest(items[0] if len(items) == 1 else list(items), k)
    import pandas as pd

    from terrarium.use import load

    senses = load("senses", **where)
    return pd.concat([senses.nearest(item, k) for item in items], ignore_index=True)


@click.command
@click.argument("item")
@prints_a_table
@reads_artifacts
def ancestors(item: str, **where: Any) -> pd.DataFrame:
    """Print the ancestors of ITEM as its vector predicts them, and whether the hierarchy agrees.

    Example: kedro terrarium ancestors "Homo sapiens" --json
    """
    return _with_precision(_open(**where), "ancestors", item)


@click.command
@click.argument("item")
@prints_a_table
@reads_artifacts
def descendants(item: str, **where: Any) -> pd.DataFrame:
    """Print everything under ITEM as the vectors predict it, and whether the hierarchy agrees.

    Example: kedro terrarium descendants Primates --csv > primates.csv
    """
    return _with_precision(_open(**where), "descendants", item)


@click.command
@click.argument("items", nargs=-1, required=True)
@prints_a_table
@reads_artifacts
def relate(items: tuple[str, ...], **where: Any) -> pd.DataFrame:
    """Print distance, common ancestor and is-a probability of each pair of ITEMS.

    Example: kedro terrarium relate "Homo sapiens" "Pan troglodytes" "Mus musculus"
    """
    import itertools

    import pandas as pd

    embedding = _open(**where)
    return pd.DataFrame(
        [
            {
                "first": a,
                "second": b,
                "distance": embedding.distance(a, b),
                "common_ancestor": embedding.lowest_common_ancestor(a, b),
                "first_is_a_second": embedding.is_a(a, b),
                "second_is_a_first": embedding.is_a(b, a),
            }
            for a, b in itertools.combinations(items, 2)
        ]
    )


@click.command
@click.argument("relatives", nargs=-1, required=True)
@click.option("--weights", help="Positive weights of RELATIVES, comma-separated; larger is closer.")
@click.option("--distances", help="Measured distances to RELATIVES in hops, comma-separated.")
@click.option("-k", default=5, show_default=True, type=click.IntRange(1), help="Number of likely parents.")
@prints_a_table
@reads_artifacts
def place(relatives: tuple[str, ...], weights: str | None, distances: str | None, k: int, **where: Any) -> pd.DataFrame:
    """Print the likely parents of a new item, from the nodes that it is related to.

    Example: kedro terrarium place "Pan paniscus" "Homo sapiens" --weights 2,1
    """
    if weights and distances:
        raise ValueError("give --weights or --distances")
    values = weights or distances
    if not values:
        return _open(**where).place(list(relatives), k=k).parents
    numbers = [float(value) for value in values.split(",")]
    if len(numbers) != len(relatives):
        raise ValueError(f"{len(numbers)} numbers for {len(relatives)} relatives: give one for each")
    given = {"neighbours" if weights else "distances": dict(zip(relatives, numbers, strict=True))}
    return _open(**where).place(**given, k=k).parents  # type: ignore[arg-type]


def _open(**where: Any) -> HyperbolicEmbedding:
    from terrarium.use import load

    return load("hyperbolic", **where)


def _with_precision(embedding: HyperbolicEmbedding, question: str, item: str) -> pd.DataFrame:
    table = getattr(embedding, question)(item)
    rule = embedding.calibration
    click.echo(
        f"by {rule.score} <= {rule.threshold:.4g}: precision {rule.precision:.3f}, recall {rule.recall:.3f} on nodes "
        "that did not choose the threshold",
        err=True,
    )
    return table
