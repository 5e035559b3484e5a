"""Write `docs/reference/catalog.md`: every dataset with its columns, layer and producer.

Datasets, types and layers are those of `conf/base/catalog`, producers those of the registered pipelines. Columns are in
`docs/reference/columns.csv`; `--columns DATA_ROOT` reads them from the newest Parquet files of a data root. `make
reference` writes the page; `--check` writes nothing and fails when it is behind.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/reference/catalog.md"
COLUMNS = ROOT / "docs/reference/columns.csv"
_NUMBERED = re.compile(r"^([xu])\d+$")
_HEAD = """# Catalog

<!-- Written by `make reference` from the catalog, the pipelines and columns.csv; do not edit. -->

Every dataset of every pipeline. `catalog.load("hyperbolic.taxa")` in a Kedro session loads the
newest version; the path below `data_root` is `<layer>/<name>/<version>/`. `x0, x1, ...` are the
coordinates of a vector. A table's columns are those of a run with the sizes of `conf/test`; columns
that depend on the data, such as one per rank, may have other names in your run.
"""


class Entry(NamedTuple):
    """A dataset of the catalog: its class, layer, file and the nodes that write it."""

    name: str
    kind: str
    layer: str
    path: str
    producers: tuple[str, ...]


def list_entries() -> list[Entry]:
    """Return the datasets of all registered pipelines, in the order of their names."""
    from kedro.config import OmegaConfigLoader
    from kedro.io import CatalogConfigResolver

    from terrarium.pipeline_registry import register_pipelines

    pipelines = register_pipelines()
    written = OmegaConfigLoader(str(ROOT / "conf"), base_env="base", default_run_env="local")["catalog"]
    resolver = CatalogConfigResolver(written)
    names = set().union(*(pipeline.datasets() for pipeline in pipelines.values()))
    names = {name for name in names if not name.startswith("params:") and name != "parameters"}
    producers: dict[str, dict[str, None]] = {}
    for pipeline in pipelines.values():
        for node in pipeline.nodes:
            for output in node.outputs:
                producers.setdefault(output, {})[node.name] = None
    return [_entry(name, resolver.resolve_pattern(name), tuple(producers.get(name, ()))) for name in sorted(names)]


def read_columns(data_root: Path, entries: Iterable[Entry]) -> dict[str, list[str]]:
    """Return `name type` of each column of each table that a data root has.

    Args:
        data_root: folder of a run's artifacts.
        entries: datasets of the catalog.
    """
    found: dict[str, list[str]] = {}
    for entry in entries:
        folder = data_root / entry.path
        versions = sorted(folder.iterdir()) if entry.kind == "ParquetDataset" and folder.is_dir() else []
        if versions:
            found[entry.name] = list(_columns(versions[-1] / folder.name))
    return found


def render_page(entries: Sequence[Entry], columns: Mapping[str, Sequence[str]]) -> str:
    """Return the page: a section for each family or study, a table of its datasets.

    Args:
        entries: datasets of the catalog.
        columns: `name type` of the columns of each table.
    """
    sections: dict[str, list[Entry]] = {}
    for entry in entries:
        sections.setdefault(entry.name.rpartition(".")[0], []).append(entry)
    lines = [_HEAD.rstrip()]
    for section, members in sections.items():
        lines += ["", f"## {section}", "", "| dataset | type | layer | producer | columns |", "|---|---|---|---|---|"]
        lines += [_row(entry, columns.get(entry.name, ())) for entry in members]
    return "\n".join(lines) + "\n"


def kept_columns() -> dict[str, list[str]]:
    """Return the columns that `docs/reference/columns.csv` holds."""
    table = pd.read_csv(COLUMNS, dtype=str, keep_default_na=False)
    return {str(name): group["column"].tolist() for name, group in table.groupby("dataset", sort=True)}


def keep_columns(columns: Mapping[str, Sequence[str]]) -> None:
    """Write columns to `docs/reference/columns.csv`."""
    rows = [(name, column) for name in sorted(columns) for column in columns[name]]
    pd.DataFrame(rows, columns=["dataset", "column"]).to_csv(COLUMNS, index=False)


def main() -> int:
    """Write the page, or with `--check` say that it is behind. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the page is behind")
    parser.add_argument("--columns", type=Path, metavar="DATA_ROOT", help="read the columns of tables from here first")
    given = parser.parse_args()
    entries = list_entries()
    if given.columns:
        names = {entry.name for entry in entries}
        kept = {name: columns for name, columns in kept_columns().items() if name in names} if COLUMNS.is_file() else {}
        keep_columns(kept | read_columns(given.columns, entries))
    page = render_page(entries, kept_columns())
    if not given.check:
        PAGE.write_text(page, encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page:
        sys.stderr.write(f"{PAGE.relative_to(ROOT)} is behind the catalog: run `make reference`\n")
        return 1
    return 0


def _entry(name: str, config: Mapping[str, Any], producers: tuple[str, ...]) -> Entry:
    kind = config["type"].rpartition(".")[2]
    return Entry(
        name, kind, config["metadata"]["kedro-viz"]["layer"], config["filepath"].removeprefix("data/"), producers
    )


def _columns(path: Path) -> Iterator[str]:
    """Return the columns of a Parquet file; numbered coordinates once."""
    seen: set[str] = set()
    for field in pq.read_schema(path):
        name = _NUMBERED.sub(r"\g<1>0, \g<1>1, ...", field.name)
        if name not in seen and not name.startswith("__"):
            seen.add(name)
            yield f"{name} {_type(str(field.type))}"


def _type(text: str) -> str:
    return (
        "category"
        if text.startswith("dictionary")
        else text.replace("large_string", "string").replace("double", "float64")
    )


def _row(entry: Entry, columns: Sequence[str]) -> str:
    others = "the training" if entry.name.endswith("training_state") else "all runs of the data root"
    made_by = ", ".join(f"`{name}`" for name in entry.producers) or others
    described = "; ".join(columns) if len(columns) <= 30 else "; ".join([*columns[:30], f"{len(columns) - 30} more"])
    short = entry.name.rpartition(".")[2]
    return f"| `{short}` | {entry.kind.removesuffix('Dataset')} | {entry.layer} | {made_by} | {described} |"


if __name__ == "__main__":
    raise SystemExit(main())
