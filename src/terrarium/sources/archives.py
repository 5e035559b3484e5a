"""Files in a folder or in an archive: .zip, .tar, .tar.gz, .tar.xz and .tar.bz2, also if they have a folder inside."""

from __future__ import annotations

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from terrarium.sources.errors import SourceError, one_line

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")
"""Endings of the archives that are read."""
LARGEST_TEXT = 4 << 30
"""Bytes of a file that is read into memory as a whole, unpacked."""
PACKING_ERRORS = (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError)
"""What reading a packed file raises if it is broken."""
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


def only_file(place: Path) -> Path:
    """Return the path of the one file of an archive, as `taxa.zip/taxa.csv`; hidden files are ignored.

    Raises:
        SourceError: it has no file or several, or cannot be read.
    """
    found = [member for member in list_members(place) if not any(map(_is_hidden, PurePosixPath(member).parts))]
    if not found:
        raise SourceError(f"{place} has no file: give another archive")
    if len(found) > 1:
        some = ", ".join(found[:3])
        raise SourceError(f"{place} has {len(found)} files ({some}): name the one to read, as {place / found[0]}")
    return place / found[0]


def split_member(path: Path) -> tuple[Path, str] | None:
    """Return the archive and the member of a path such as `taxa.zip/taxa.csv`; None for another path."""
    for place in path.parents:
        if is_archive(place) and place.is_file():
            return place, path.relative_to(place).as_posix()
    return None


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
        with _unbroken(place / member), (place / member).open("rb") as content:
            found = content.read(LARGEST_TEXT + 1)
    elif place.name.lower().endswith(".zip"):
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


def _is_hidden(name: str) -> bool:
    """Return whether a folder or file is made by a system: .DS_Store, __MACOSX."""
    return name != "." and name.startswith((".", "__"))


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
