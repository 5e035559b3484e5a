"""Write vectors for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from terrarium.commands.output import prints_a_table, reads_artifacts

if TYPE_CHECKING:
    import pandas as pd

FORMATS = [
    *("word2vec", "word2vec-binary", "projector", "parquet", "safetensors", "qdrant", "datasets"),
    *("faiss", "hnswlib", "newick", "kgx"),
]


@click.command
@click.argument("form", metavar="FORMAT", type=click.Choice(FORMATS))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--family",
    type=click.Choice(["hyperbolic", "senses", "knowledge_graph", "scenes"]),
    default="hyperbolic",
    show_default=True,
)
@click.option(
    "--coordinates",
    type=click.Choice(["ball", "tangent", "lorentz"]),
    default="ball",
    show_default=True,
    help="Coordinates of hyperbolic points; tangent keeps large radii in float32.",
)
@prints_a_table
@reads_artifacts
def export(form: str, folder: Path, family: Any, coordinates: str, **where: Any) -> pd.DataFrame:
    """Write vectors to FOLDER for another tool: word2vec (gensim), projector (TensorBoard), qdrant, datasets (Hugging
    Face), faiss or hnswlib (indexes), newick (trees), parquet or safetensors; or predictions of a knowledge graph: kgx.

    Example: kedro terrarium export projector /tmp/mammals --coordinates tangent
    """
    import pandas as pd

    from terrarium.use import load
    from terrarium.use.exports import export as write

    files = _predictions(folder, **where) if form == "kgx" else write(load(family, **where), form, folder, coordinates)
    return pd.DataFrame({"file": [str(file) for file in files], "bytes": [file.stat().st_size for file in files]})


def _predictions(folder: Path, version: str | None, **where: Any) -> list[Path]:
    from terrarium.use import Artifacts, load
    from terrarium.use.exports import write_kgx

    name = "knowledge_graph.predictions"
    predictions = Artifacts(**where).load("knowledge_graph.weights", version, [name])[name]
    folder.mkdir(parents=True, exist_ok=True)
    return write_kgx(folder, load("knowledge_graph", version, **where), predictions)
