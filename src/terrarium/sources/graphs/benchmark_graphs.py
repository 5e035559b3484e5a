"""WN18RR and FB15k-237 as stored by PyTorch Geometric's data sets WordNet18RR and FB15k_237."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from terrarium.sources.errors import SourceError
from terrarium.sources.graphs.graph_source import GraphSource
from terrarium.sources.graphs.triples import OnError, read_triple_files

BenchmarkGraph = Literal["WordNet18RR", "FB15k_237"]
_FILES = ("train.txt", "valid.txt", "test.txt")


def read_benchmark_graph(name: BenchmarkGraph, root: str | Path, on_error: OnError = "error") -> GraphSource:
    """Read the triples in `root`/`name`/raw; PyTorch Geometric downloads them if they are missing.

    Args:
        name: name of PyTorch Geometric's data set: WordNet18RR or FB15k_237.
        root: folder of data sets.
        on_error: as for `read_triple_files`.

    Raises:
        SourceError: the files are missing and cannot be downloaded.
    """
    folder = Path(root) / name
    raw = folder / "raw"
    if not all((raw / file).is_file() for file in _FILES):
        _download(name, folder)
    return read_triple_files(raw, train=_FILES[0], valid=_FILES[1], test=_FILES[2], on_error=on_error)


def _download(name: BenchmarkGraph, root: Path) -> None:
    from torch_geometric import datasets

    try:
        getattr(datasets, name)(str(root))
    except (OSError, RuntimeError) as error:
        raise SourceError(
            f"{name} is not in {root / 'raw'} and cannot be downloaded ({error}): put {', '.join(_FILES)} there"
        ) from error
