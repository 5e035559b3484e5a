"""Downloads into a cache folder: checked, repeated after failures, and limited in size."""

from __future__ import annotations

import hashlib
import http.client
import logging
import os
import time
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlparse
from urllib.request import urlopen

from rich.progress import DownloadColumn, Progress, TransferSpeedColumn

from terrarium.sources.errors import SourceError, one_line

logger = logging.getLogger(__name__)

LARGEST_DOWNLOAD = 16 << 30
"""Bytes; a longer answer is cut off and refused."""
_TRIES = 3
_CHUNK = 1 << 20
_TIMEOUT = 60
_SCHEMES = {"http", "https", "ftp"}
_ERRORS = (URLError, OSError, ValueError, http.client.HTTPException)
_TRY_AGAIN = {408, 425, 429, 500, 502, 503, 504}
"""HTTP answers that may be different later."""


def is_address(path: str | Path) -> bool:
    """Return whether a path is a URL."""
    return "://" in str(path) or urlparse(str(path)).scheme in {*_SCHEMES, "file"}


def download(url: str, cache: Path) -> Path:
    """Download a file and return its path in the cache.

    The file is compared with `URL.md5`, if that exists. A cached file with the right checksum is not downloaded again.

    Args:
        url: address with http, https or ftp.
        cache: folder for downloads.

    Raises:
        SourceError: after three tries: no connection, a server error or a wrong checksum; at once: another kind of
            address, the file does not exist, or it is larger than `LARGEST_DOWNLOAD`.
    """
    scheme, name = urlparse(url).scheme, Path(urlparse(url).path).name
    if scheme not in _SCHEMES or not name:
        remedy = "write the path without file://" if scheme == "file" else "use http, https or ftp, or a path"
        raise SourceError(f"{url} cannot be downloaded: {remedy}")
    file = cache / name
    wanted = _checksum(url)
    if file.is_file() and wanted is not None and _md5(file) == wanted:
        return file
    cache.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    reason = ""
    try:
        for attempt in range(_TRIES):
            if attempt:
                logger.warning("Download of %s failed (%s); trying again", url, reason)
                time.sleep(2.0**attempt)
            try:
                _fetch(url, partial)
            except HTTPError as error:
                reason = f"{error.code} {error.reason}"
                if error.code in _TRY_AGAIN:
                    continue
                what = "does not exist" if error.code in {404, 410} else "is refused by the server"
                raise SourceError(f"{url} {what} ({reason}): give another address") from error
            except _ERRORS as error:
                reason = one_line(error)
                continue
            if wanted is None or _md5(partial) == wanted:
                partial.replace(file)
                return file
            reason = "the checksum differs"
    finally:
        partial.unlink(missing_ok=True)
    raise SourceError(
        f"{url} could not be downloaded ({reason}): try again later, or get the file another way and give its path"
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
            read += len(chunk)
            if max(read, size) > LARGEST_DOWNLOAD:
                limit = f"{LARGEST_DOWNLOAD >> 30} GiB"
                raise SourceError(f"{url} is larger than {limit}: download it another way if that is right")
            out.write(chunk)
            progress.update(task, completed=read)
        if size and read != size:
            raise OSError(f"{read:,} of {size:,} bytes received")


def _checksum(url: str) -> str | None:
    """Return the checksum in `URL.md5`, or None if there is no such file."""
    try:
        with urlopen(f"{url}.md5", timeout=_TIMEOUT) as answer:
            words = answer.read(4096).decode("ascii", "replace").split()
    except _ERRORS:
        return None
    return words[0].lower() if words and len(words[0]) == 32 else None


def _md5(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
