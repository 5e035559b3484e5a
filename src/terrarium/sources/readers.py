"""One interface for all readers: `read(kind, path, **options)` returns a table or raises `SourceError`.

Whatever bytes a file has, a reader returns its table or raises a `SourceError` whose message is one line with the file
and, in a file of lines, the line.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from terrarium.sources.errors import SourceError

READERS = {
    "table": "taxonomies.table:read_table",
    "taxdump": "taxonomies.taxdump:read_taxdump",
    "obo": "taxonomies.obo:read_obo",
    "newick": "taxonomies.newick:read_newick",
    "lineages": "taxonomies.lineages:read_lineages",
    "wordnet": "wordnet:read_wordnet",
    "wordnet_nouns": "wordnet:read_nouns",
    "wordnet_verbs": "wordnet:read_verbs",
    "word_pairs": "word_pairs:read_word_pairs",
    "files": "graphs.triples:read_triple_files",
    "kgx": "graphs.kgx:read_kgx",
    "carla": "traffic.formats.carla:read_carla",
    "argoverse": "traffic.formats.argoverse:read_argoverse",
    "commonroad": "traffic.formats.commonroad:read_commonroad",
    "sumo": "traffic.formats.sumo:read_sumo",
    "tables": "traffic.tables:read_tables",
    "tu": "tu:read_tu",
}
"""Kind of a source -> module and function. A module is imported when it is needed."""

TRAFFIC_FILES = {
    "carla": "scene_*.tracks.parquet",
    "tables": "tracks.parquet",
    "argoverse": "**/scenario_*.parquet",
    "sumo": "**/*.net.xml*",
    "commonroad": "**/*.xml*",
}
"""Reader of recorded traffic -> what its files are called; the first that fits a folder reads it."""


def read(kind: str, path: str | Path, **options: Any) -> Any:
    """Read a source.

    Args:
        kind: a key of `READERS`.
        path: the file or folder.
        options: further arguments of the reader.

    Returns:
        The table or tables of the reader; see its function.

    Raises:
        SourceError: there is no such reader, or the source is missing or has a fault.
    """
    if kind not in READERS:
        raise SourceError(f"there is no reader {kind!r}: choose from {', '.join(READERS)}")
    module, _, function = READERS[kind].partition(":")
    return getattr(import_module(f"terrarium.sources.{module}"), function)(path, **options)


def detect_traffic_reader(folder: str | Path) -> str:
    """Return the reader of a folder of recorded traffic by the names of its files.

    Raises:
        SourceError: no reader knows a file of the folder.
    """
    for reader, files in TRAFFIC_FILES.items():
        if next(Path(folder).glob(files), None) is not None:
            return reader
    known = ", ".join(f"{files} ({reader})" for reader, files in TRAFFIC_FILES.items())
    raise SourceError(f"{folder} has no recording that we can read: it needs one of {known}")
