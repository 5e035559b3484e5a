"""Files in a folder or in an archive: .zip, .tar, .tar.gz, .tar.xz and .tar.bz2, also if they have a folder inside."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from terrarium.sources.errors import SourceError
from terrarium.sources.files import LARGEST_TEXT, PACKING_ERRORS, one_line, read_bytes

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")
"""Endings of the archives that are read."""
_ERRORS = (*PACKING_ERRORS, tarfile.TarError, zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError)
_DEEPEST = 3
"""Levels of folders that are searched."""


def is_archive(path: str | Path) -> bool:
    """Return whether the name of a file is that of an archive."""
    return str(path).lower().endswith(ARCHIVES)


def list_members(place: Path) -> list[str]:
    """Return the paths of the files in a folder (to three levels) or an archive, relative to it, sorted by depth.

    Raises:
        SourceError: there is no such folder or archive, or it is broken.
    """
    if place.is_dir():
        patterns = ["/".join(["*"] * depth) for depth in range(1, _DEEPEST + 1)]
        found = [file.relative_to(place).as_posix() for p in patterns for file in place.glob(p) if file.is_file()]
    elif place.name.lower().endswith(".zip"):
        with _zip(place) as packed:
            found = [info.filename for info in packed.infolist() if not info.is_dir()]
    else:
        with _tar(place) as archive:
            found = [member.name for member in archive if member.isfile()]
    return sorted(found, key=lambda name: (len(PurePosixPath(name).parts), name))


def find_member(place: Path, name: str) -> str | None:
    """Return the path of the file of this name that is nearest to the top; None if there is none.

    Raises:
        SourceError: the place cannot be read, or two files of this name are equally near.
    """
    found = [member for member in list_members(place) if PurePosixPath(member).name == name]
    if len(found) > 1 and len({len(PurePosixPath(member).parts) for member in found[:2]}) == 1:
        raise SourceError(f"{place} has {found[0]} and {found[1]}: give the folder of one of them")
    return found[0] if found else None


def read_member(place: Path, member: str) -> bytes:
    """Return the content of one file of a folder or an archive.

    Args:
        place: the folder or archive.
        member: path as `find_member` returns it.

    Raises:
        SourceError: the file does not exist, is broken, or unpacks to more than `LARGEST_TEXT`.
    """
    if place.is_dir():
        return read_bytes(place / member)
    if place.name.lower().endswith(".zip"):
        with _zip(place) as packed, packed.open(member) as content:
            found = content.read(LARGEST_TEXT + 1)
    else:
        with _tar(place) as archive:
            file = archive.extractfile(member)
            if file is None:
                raise SourceError(f"{place} has no file {member}: give another archive")
            found = file.read(LARGEST_TEXT + 1)
    if len(found) > LARGEST_TEXT:
        raise SourceError(f"{member} of {place} unpacks to more than {LARGEST_TEXT >> 30} GiB: check what it is")
    return found


@contextmanager
def _zip(place: Path) -> Iterator[zipfile.ZipFile]:
    with _unbroken(place), zipfile.ZipFile(place) as packed:
        yield packed


@contextmanager
def _tar(place: Path) -> Iterator[tarfile.TarFile]:
    with _unbroken(place), tarfile.open(place, "r:*") as archive:
        yield archive


@contextmanager
def _unbroken(place: Path) -> Iterator[None]:
    """Turn the errors of a broken archive into `SourceError`."""
    if not place.is_file():
        raise SourceError(f"{place} is neither a file nor a folder: check the path")
    try:
        yield
    except SourceError:
        raise
    except _ERRORS as error:
        raise SourceError(f"{place} is broken or no archive ({one_line(error)}): get it again") from error
