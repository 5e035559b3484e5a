"""NCBI's own taxonomy dump: a folder, an archive, or the address of one.

The files nodes.dmp, names.dmp and merged.dmp have fields parted by TAB|TAB and lines that end in TAB| (taxdump_readme).
Old and new dumps share the columns that are read here.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import tarfile
import time
import zipfile
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlparse
from urllib.request import urlopen

import pandas as pd
from rich.progress import DownloadColumn, Progress, TransferSpeedColumn

from terrarium.sources.errors import SourceError

logger = logging.getLogger(__name__)

ARCHIVES = (".tar.gz", ".tgz", ".zip")
NO_RANK = "no rank"
_TRIES = 3
_CHUNK = 1 << 20
_TIMEOUT = 60


def is_address(path: str) -> bool:
    """Whether a path is the address of a dump."""
    return urlparse(path).scheme in {"http", "https", "ftp", "file"}


def read_taxdump(path: str | Path, cache: Path) -> pd.DataFrame:
    """The whole tree of a dump.

    Args:
        path: folder with nodes.dmp and names.dmp, a .tar.gz or .zip of them, or the address of one.
        cache: folder that keeps what was downloaded.

    Returns:
        id, parent (-1 at the root), name, rank; a row a taxon.

    Raises:
        SourceError: nothing there, another format, a file that is missing or broken, or a failed download.
    """
    place = download(str(path), cache) if is_address(str(path)) else Path(path)
    nodes = _table(place, "nodes.dmp", {0: "id", 1: "parent", 2: "rank"})
    names = _table(place, "names.dmp", {0: "id", 1: "name", 3: "kind"})
    names = names[names["kind"] == "scientific name"].drop_duplicates("id").set_index("id")
    parent = nodes["parent"].where(nodes["parent"] != nodes["id"], -1)
    return pd.DataFrame(
        {
            "id": nodes["id"],
            "parent": parent,
            "name": names["name"].reindex(nodes["id"]).astype("str").to_numpy(),
            "rank": nodes["rank"].fillna(NO_RANK).astype("category"),
        }
    )


def merged_ids(path: str | Path, cache: Path) -> dict[int, int]:
    """Ids that were merged into others: old to new."""
    place = download(str(path), cache) if is_address(str(path)) else Path(path)
    table = _table(place, "merged.dmp", {0: "old", 1: "new"})
    return dict(zip(table["old"].tolist(), table["new"].tolist(), strict=True))


def download(address: str, cache: Path) -> Path:
    """The archive at an address, in the cache; checked against the .md5 file beside it, where there is one.

    Raises:
        SourceError: no connection, no such file, or another checksum, after three tries.
    """
    file = cache / Path(urlparse(address).path).name
    wanted = _checksum(address)
    if file.is_file() and wanted is not None and _md5(file) == wanted:
        return file
    cache.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    reason = ""
    for attempt in range(_TRIES):
        if attempt:
            logger.warning("Download of %s failed (%s); trying again", address, reason)
            time.sleep(2.0**attempt)
        try:
            _fetch(address, partial)
        except HTTPError as error:
            raise SourceError(
                f"{address} is not there ({error.code} {error.reason}): give another source.path"
            ) from error
        except (URLError, OSError) as error:
            reason = str(error)
            continue
        if wanted is None or _md5(partial) == wanted:
            partial.replace(file)
            return file
        reason = "the checksum differs"
    partial.unlink(missing_ok=True)
    raise SourceError(
        f"{address} could not be downloaded ({reason}): fetch it by other means and set source.path to the file, or "
        "leave source.path empty for the taxonomy of the installed package"
    )


def _fetch(address: str, file: Path) -> None:
    with (
        urlopen(address, timeout=_TIMEOUT) as answer,
        file.open("wb") as out,
        Progress(*Progress.get_default_columns(), DownloadColumn(), TransferSpeedColumn(), transient=True) as progress,
    ):
        size = int(answer.headers.get("Content-Length") or 0)
        task = progress.add_task(Path(address).name, total=size or None)
        read = 0
        while chunk := answer.read(_CHUNK):
            out.write(chunk)
            read += len(chunk)
            progress.update(task, completed=read)
        if size and read != size:
            raise OSError(f"{read:,} of {size:,} bytes came")


def _checksum(address: str) -> str | None:
    """What the .md5 file beside an address says, if there is one."""
    try:
        with urlopen(f"{address}.md5", timeout=_TIMEOUT) as answer:
            words = answer.read(4096).decode("ascii", "replace").split()
    except (URLError, OSError):
        return None
    return words[0].lower() if words and len(words[0]) == 32 else None


def _md5(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _table(place: Path, name: str, columns: dict[int, str]) -> pd.DataFrame:
    """The wanted columns of one file; the separators stand as columns of their own."""
    try:
        with _open(place, name) as content:
            return pd.read_csv(
                content,
                sep="\t",
                header=None,
                usecols=[2 * at for at in columns],
                names=[
                    columns.get(at // 2, f"_{at}") if at % 2 == 0 else f"_{at}" for at in range(2 * max(columns) + 1)
                ],
                quoting=3,
                keep_default_na=False,
                na_values=[],
                index_col=False,
            )
    except (KeyError, FileNotFoundError) as error:
        raise SourceError(f"source.path {place} has no {name}: give NCBI's taxdump") from error
    except (ValueError, tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise SourceError(f"{name} of {place} is broken: {error}") from error


def _open(place: Path, name: str) -> IO[bytes]:
    """One file of a folder or an archive."""
    if place.is_dir():
        return (place / name).open("rb")
    if place.name.endswith(".zip"):
        with zipfile.ZipFile(place) as archive:
            return io.BytesIO(archive.read(name))
    with tarfile.open(place, "r:gz") as archive:
        member = archive.extractfile(name)
        if member is None:
            raise KeyError(name)
        return io.BytesIO(member.read())
