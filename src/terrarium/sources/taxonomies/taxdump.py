"""NCBI's taxonomy dump: a folder, an archive, or the URL of one.

In nodes.dmp, names.dmp and merged.dmp, fields are separated by TAB|TAB and lines end in TAB| (taxdump_readme). Old and
new dumps share the columns that are read here.
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
    """Return whether a path is a URL."""
    return urlparse(path).scheme in {"http", "https", "ftp", "file"}


def read_taxdump(path: str | Path, cache: Path) -> pd.DataFrame:
    """Read all taxa of a dump.

    Args:
        path: folder with nodes.dmp and names.dmp, a .tar.gz or .zip of them, or the URL of an archive.
        cache: folder for downloads.

    Returns:
        id, parent (-1 at the root), name, rank; one row per taxon.

    Raises:
        SourceError: a file is missing or broken, or the download failed.
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
    """Return the tax ids that NCBI merged into others: old id -> new id.

    Args:
        path: folder, archive or URL of a taxdump.
        cache: folder for downloads.
    """
    place = download(str(path), cache) if is_address(str(path)) else Path(path)
    table = _table(place, "merged.dmp", {0: "old", 1: "new"})
    return dict(zip(table["old"].tolist(), table["new"].tolist(), strict=True))


def download(url: str, cache: Path) -> Path:
    """Download an archive and return its path in the cache.

    The file is compared with `URL.md5`, if that exists. A cached file with the right checksum is not downloaded again.

    Raises:
        SourceError: after three tries: no connection or a wrong checksum; at once: the file does not exist.
    """
    file = cache / Path(urlparse(url).path).name
    wanted = _checksum(url)
    if file.is_file() and wanted is not None and _md5(file) == wanted:
        return file
    cache.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    reason = ""
    for attempt in range(_TRIES):
        if attempt:
            logger.warning("Download of %s failed (%s); trying again", url, reason)
            time.sleep(2.0**attempt)
        try:
            _fetch(url, partial)
        except HTTPError as error:
            raise SourceError(
                f"{url} does not exist ({error.code} {error.reason}): give another source.path"
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
        f"{url} could not be downloaded ({reason}): download it another way and set source.path to the file, "
        "or set source.path to null to use the installed package"
    )


def _fetch(url: str, file: Path) -> None:
    with (
        urlopen(url, timeout=_TIMEOUT) as answer,
        file.open("wb") as out,
        Progress(*Progress.get_default_columns(), DownloadColumn(), TransferSpeedColumn(), transient=True) as progress,
    ):
        size = int(answer.headers.get("Content-Length") or 0)
        task = progress.add_task(Path(url).name, total=size or None)
        read = 0
        while chunk := answer.read(_CHUNK):
            out.write(chunk)
            read += len(chunk)
            progress.update(task, completed=read)
        if size and read != size:
            raise OSError(f"{read:,} of {size:,} bytes received")


def _checksum(url: str) -> str | None:
    """Return the checksum in `URL.md5`, or None if there is no such file."""
    try:
        with urlopen(f"{url}.md5", timeout=_TIMEOUT) as answer:
            words = answer.read(4096).decode("ascii", "replace").split()
    except (URLError, OSError):
        return None
    return words[0].lower() if words and len(words[0]) == 32 else None


def _md5(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _table(place: Path, name: str, columns: dict[int, str]) -> pd.DataFrame:
    """Read columns of one file; pandas sees the separators as columns of their own."""
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
    """Open one file of a folder or an archive."""
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
