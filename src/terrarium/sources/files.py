"""Reading of files, packed or not: numbered lines, whole texts, and limits on what a packed file may unpack to."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any

from terrarium.sources.archives import LARGEST_TEXT, PACKING_ERRORS, list_members, read_member, split_member
from terrarium.sources.errors import SourceError, one_line

PACKED: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
"""Endings of packed files, and what opens them."""
LARGEST_LINE = 1 << 26
"""Bytes of one line; a longer one is not text."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029\ufffd\ufffe\uffff]")
"""Characters that no name has: they come from binary or damaged files."""
_ODD = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029\ufffd\ufffe\uffff\ud800-\udfff]")
NOT_TEXT = "it is not UTF-8 text"
_SAVE_AGAIN = "save the file as UTF-8 text"


def suffix_of(path: str | Path) -> str:
    """Return the ending of a file's name in lower case, without that of its packing: .csv for a.CSV.gz."""
    name = Path(path)
    inner = Path(name.stem) if name.suffix.lower() in PACKED else name
    return inner.suffix.lower()


def is_file(path: Path) -> bool:
    """Return whether there is such a file, on the disk or in an archive: taxa.zip/taxa.csv."""
    member = split_member(path)
    return path.is_file() if member is None else member[1] in list_members(member[0])


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading, unpacked if its name ends in .gz, .xz or .bz2.

    Args:
        path: the file, or an archive and the path of a file in it: taxa.zip/taxa.csv.

    Raises:
        SourceError: the file does not exist or cannot be unpacked, here or while it is read.
    """
    member = split_member(path)
    if not member and not path.is_file():
        raise SourceError(f"{path} is not a file: check the path")
    opener = PACKED.get(path.suffix.lower())
    try:
        with (
            io.BytesIO(read_member(*member)) if member else path.open("rb") as raw,
            (opener or nullcontext)(raw) as content,
        ):
            yield content
    except SourceError:
        raise
    except PACKING_ERRORS as error:
        remedy = f"pack it again, or remove {path.suffix} from its name" if opener else "check the file"
        done = "unpacked" if opener else "read"
        raise SourceError(f"{path} cannot be {done} ({one_line(error)}): {remedy}") from error


def numbered_lines(path: Path) -> Iterator[tuple[int, str | None]]:
    """Yield number (from 1) and text of each line, without line ends; None for a line that is not UTF-8 text.

    The file is read as bytes, because a decoder that works in blocks cannot say in which line it failed. Empty lines
    at the end of the file are left out.

    Raises:
        SourceError: the file does not exist, is UTF-16, or cannot be unpacked; the message has the line.
    """
    number, empty = 0, 0
    with open_bytes(path) as content:
        try:
            for number, line in enumerate(_limited(content, path), start=1):
                if number == 1:
                    _refuse_wide(line, path)
                text = _decoded(line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line)
                if text == "":
                    empty += 1
                    continue
                yield from ((number - back, "") for back in range(empty, 0, -1))
                empty = 0
                yield number, text
        except SourceError:
            raise
        except PACKING_ERRORS as error:
            raise SourceError(
                f"{path} cannot be unpacked after line {number} ({one_line(error)}): pack it again, or remove "
                f"{path.suffix} from its name"
            ) from error


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of `numbered_lines`; a line that is not UTF-8 text is an error.

    Raises:
        SourceError: as `numbered_lines`, or for a line that is not UTF-8 text.
    """
    for number, line in numbered_lines(path):
        if line is None:
            raise fault(path, number, NOT_TEXT, _SAVE_AGAIN)
        yield number, line


def read_bytes(path: Path) -> bytes:
    """Return the content of a file, unpacked.

    Raises:
        SourceError: the file does not exist, cannot be unpacked, or is larger than `LARGEST_TEXT`.
    """
    with open_bytes(path) as content:
        found = content.read(LARGEST_TEXT + 1)
    if len(found) > LARGEST_TEXT:
        raise SourceError(f"{path} unpacks to more than {LARGEST_TEXT >> 30} GiB: unpack it and check what it is")
    return found


def read_text(path: Path) -> str:
    """Return the content of a file of UTF-8 text, unpacked, with line ends as they are.

    Raises:
        SourceError: as `read_bytes`, or the file is not UTF-8 text; the message has the line.
    """
    return decode(read_bytes(path), path)


def decode(content: bytes, path: str | Path) -> str:
    """Return bytes as text.

    Args:
        content: the bytes of a whole file.
        path: of the file, for messages.

    Raises:
        SourceError: the bytes are not UTF-8 text; the message has the line.
    """
    _refuse_wide(content, path)
    content = content.removeprefix(_BYTE_ORDER_MARK)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise fault(path, content.count(b"\n", 0, error.start) + 1, NOT_TEXT, _SAVE_AGAIN) from None
    control = _CONTROL.search(text.replace("\r\n", " \n"))
    if control:
        raise fault(path, text.count("\n", 0, control.start()) + 1, NOT_TEXT, _SAVE_AGAIN)
    return text


def is_name(text: object) -> bool:
    """Return whether a value is a text that can name something: not empty, no blanks around it, no odd characters."""
    return isinstance(text, str) and bool(text) and text == text.strip() and is_text(text)


def is_text(text: str) -> bool:
    """Return whether a text is without control characters and halves of surrogate pairs."""
    return _ODD.search(text) is None


def fault(path: str | Path, line: int, what: str, remedy: str) -> SourceError:
    """Return the error for a line of a file: "PATH line N: WHAT; REMEDY"."""
    return SourceError(f"{path} line {line}: {what}; {remedy}")


def _limited(content: IO[bytes], path: Path) -> Iterator[bytes]:
    number = 0
    while line := content.readline(LARGEST_LINE + 1):
        number += 1
        if len(line) > LARGEST_LINE:
            raise fault(path, number, f"it is longer than {LARGEST_LINE >> 20} MiB", "this is not a file of lines")
        yield line


def _refuse_wide(content: bytes, path: str | Path) -> None:
    if content.startswith(_WIDE_MARKS):
        raise SourceError(f"{path} is UTF-16: save it as UTF-8")


def _decoded(line: bytes) -> str | None:
    try:
        text = line.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(text) else text
