"""WN18RR and FB15k-237 as stored by PyTorch Geometric's data sets WordNet18RR and FB15k_237.

The files are read and downloaded here, since PyTorch Geometric unpickles what it finds next to them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from terrarium.sources.downloads import download
from terrarium.sources.errors import SourceError
from terrarium.sources.graphs.graph_source import GraphSource
from terrarium.sources.graphs.triples import OnError, read_triple_files

BenchmarkGraph = Literal["WordNet18RR", "FB15k_237"]
_FILES = ("train.txt", "valid.txt", "test.txt")
_PLACE = "https://raw.githubusercontent.com/villmow/datasets_knowledge_embedding/master"
_ADDRESSES = {"WordNet18RR": f"{_PLACE}/WN18RR/original", "FB15k_237": f"{_PLACE}/FB15k-237"}
"""Where PyTorch Geometric gets the files from."""


def read_benchmark_graph(name: BenchmarkGraph, root: str | Path, on_error: OnError = "error") -> GraphSource:
    """Read the triples in `root`/`name`/raw; they are downloaded if they are missing.

    Args:
        name: name of PyTorch Geometric's data set: WordNet18RR or FB15k_237.
        root: folder of data sets.
        on_error: as for `read_triple_files`.

    Raises:
        SourceError: the files are missing and cannot be downloaded.
    """
    raw = Path(root) / name / "raw"
    for file in _FILES:
        if not (raw / file).is_file():
            try:
                download(f"{_ADDRESSES[name]}/{file}", raw)
            except SourceError as error:
                raise SourceError(f"{error}: put {', '.join(_FILES)} into {raw}") from error
    return read_triple_files(raw, train=_FILES[0], valid=_FILES[1], test=_FILES[2], on_error=on_error)
