"""The rows of docs/benchmarks.md measured again in a quick form: one seed per family, old values next to new ones."""

import json
import math
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from benchmarks.measuring import KEDRO, artifact, cost_of
from benchmarks.page import SCREEN_ROWS, cell_text
from benchmarks.results import Row, markdown_lines
from benchmarks.senses import SIMILARITY, similarity_files
from terrarium.influence.validation.tables import deletion_table

TRIPLES = "TERRARIUM_TRIPLES"
"""Environment variable that names the folder of a graph, such as UMLS."""
COLUMNS = (
    *("family", "metric", "Terrarium, old", "Terrarium, new", "baseline, old", "baseline, new"),
    *("untrained, old", "untrained, new", "CPU s"),
)
STAGES = "--tags=ingestion,features,training,evaluation"
REMOVED = 50


class Values(NamedTuple):
    """New values of a row: Terrarium's, the baseline's, and without training."""

    value: float
    baseline: float
    untrained: float


class QuickRow(NamedTuple):
    """How a row is measured.

    Attributes:
        runs: the runs that lead to it, as options of `kedro run`.
        read: from the folder that they leave to its values.
        needs: environment variable that names data which are not shipped.
    """

    runs: Callable[[], Sequence[Sequence[str]]]
    read: Callable[[str], Values]
    needs: str | None = None


def main(families: Sequence[str] = ()) -> None:
    """Measure the rows of the named families, or of all; print old values next to new ones."""
    print("\n" + markdown_lines([list(COLUMNS), ["---"] * len(COLUMNS)]), flush=True)
    for row in measure(families or list(QUICK)):
        print(markdown_lines([[str(cell) for cell in row.values()]]), flush=True)


def measure(families: Sequence[str]) -> Iterator[Row]:
    """Yield one row per family: the text of its old cells and its new values; empty if its data are missing."""
    for family in families:
        old, quick = SCREEN_ROWS[family], QUICK[family]
        cells = [cell_text(cell) for cell in (old.value, old.baseline, old.untrained)]
        new: Sequence[object] = ("", "", "")
        seconds: object = f"set {quick.needs}"
        if quick.needs is None or quick.needs in os.environ:
            with tempfile.TemporaryDirectory() as folder:
                seconds = round(sum(_run(options, folder) for options in quick.runs()))
                new = ["" if math.isnan(value) else f"{value:.4g}" for value in quick.read(folder)]
        pairs = [text for pair in zip(cells, new, strict=True) for text in pair]
        yield dict(zip(COLUMNS, (family, old.metric, *pairs, seconds), strict=True))


def _run(options: Sequence[str], folder: str) -> float:
    words = [word for word in options if not word.startswith("--params=")]
    given = [word.removeprefix("--params=") for word in options if word.startswith("--params=")]
    return cost_of([KEDRO, "run", *words, f"--params={','.join([f'data_root={folder}', *given])}"]).cpu


def _hyperbolic(folder: str) -> Values:
    table = pd.read_parquet(artifact(folder, "layout_metrics.parquet")).set_index("layout")["ancestor_map_detour"]
    return Values(table.iloc[0], table["combinatorial"], table["inherited"])  # the exported layout comes first


def _senses(folder: str) -> Values:
    table = pd.read_parquet(artifact(folder, "variant_metrics.parquet")).set_index("variant")["simlex999_spearman"]
    return Values(table["trained"], float("nan"), table["untrained"])


def _knowledge_graph(folder: str) -> Values:
    table = pd.read_parquet(artifact(folder, "method_metrics.parquet"))
    mrr: Mapping[str, float] = table[table["split"] == "test"].set_index("method")["mrr"]
    return Values(mrr["trained"], mrr["nearest relatives"], mrr["majority"])


def _influence(folder: str) -> Values:
    table = deletion_table(pd.read_parquet(artifact(folder, "deletions.parquet")))
    drop = table[table["removed"] == REMOVED].set_index("method")["drop"]
    return Values(drop["influence"], drop["shared entity"], drop["random"])


def _scenes(folder: str) -> Values:
    found = json.loads(artifact(folder, "metrics.json").read_text(encoding="utf-8"))
    return Values(*(found[f"probe_macro_f1{ending}"] for ending in ("", "_wl_kernel", "_random_encoder")))


def _influence_runs() -> Sequence[Sequence[str]]:
    """Return the training of a small model on a graph of files, and the removal of proponents."""
    environment = "--env=recipes/knowledge_graph/complex_dropout"
    model = f"source.kind=files,source.path={os.environ[TRIPLES]},model.dim=32,training.max_epochs=30"
    given = ",".join(f"knowledge_graph.{option}" for option in model.split(","))
    return [
        [environment, "--pipelines=knowledge_graph", "--tags=ingestion,features,training", f"--params={given}"],
        [environment, "--pipelines=influence_validation", "--nodes=influence.validation.delete_proponents"],
    ]


def _senses_runs() -> Sequence[Sequence[str]]:
    files = [f"senses.source.similarity.{name}={path}" for name, path in similarity_files().items()]
    return [["--pipelines=senses", STAGES, f"--params={','.join(files)}"]]


QUICK = {
    "hyperbolic": QuickRow(lambda: [["--pipelines=hyperbolic", STAGES]], _hyperbolic),
    "senses": QuickRow(_senses_runs, _senses, SIMILARITY),
    "knowledge_graph": QuickRow(lambda: [["--pipelines=knowledge_graph", STAGES]], _knowledge_graph),
    "influence": QuickRow(_influence_runs, _influence, TRIPLES),
    "scenes": QuickRow(lambda: [["--pipelines=scenes", STAGES]], _scenes),
}
