"""Damaged inputs for every reader: each must give a table that keeps its contract, or one line of `SourceError`."""

from __future__ import annotations

import logging
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from benchmarks.fuzz_inputs import CASES, Case
from benchmarks.results import Row, chosen, replace_rows
from terrarium.sources.errors import SourceError

COUNT = int(os.environ.get("TERRARIUM_FUZZ_COUNT", "10000"))
"""Damaged inputs per reader."""
_TOKENS = (
    b"", b"0", b"-1", b"4294967299", b"1e300", b"nan", b"inf", b"True", b"01", b"1.5", b"NA", b"\t", b",", b"\n", b"\r",
    b'"', b"'", b"\0", b"\xff", b"\xef\xbb\xbf", "\u2028".encode(), b" ", b"[", b"(", b"{", b"\\", b"|", b"9" * 400,
)  # fmt: skip
_CELLS: tuple[Any, ...] = (
    None, True, -1, 0, 2**40, 1.5, 1e300, float("nan"), float("inf"),
    "", "x", "4", b"x", [], [1], ["a"], [[1.0]], {"a": 1},
)  # fmt: skip


def main() -> None:
    """Read COUNT damaged inputs with each reader, or those in TERRARIUM_ONLY, and count what it does with them."""
    logging.disable(logging.WARNING)
    replace_rows("fuzz", _rows(), seed=0)


def _rows() -> Iterator[Row]:
    for name in chosen(CASES):
        case, counts = CASES[name], Counter[str]()
        with TemporaryDirectory(dir=_memory()) as folder:
            for seed in range(COUNT):
                counts[fuzz(case, Path(folder), seed)[0]] += 1
        yield {
            "reader": name,
            "inputs": COUNT,
            "tables": counts["table"],
            "refused in one line": counts["refused"],
            "other exceptions": counts["other exception"],
            "errors of several lines": counts["several lines"],
            "suspicious tables": counts["suspicious"],
        }


def fuzz(case: Case, folder: Path, seed: int) -> tuple[str, str]:
    """Damage one file of a valid input and read it.

    Args:
        case: the reader and its valid input.
        folder: an empty folder, or one that was used for the same case.
        seed: decides the damage.

    Returns:
        What the reader did: table, refused, other exception, several lines or suspicious; and a sentence about it.
    """
    rng = random.Random(seed)
    for name, content in case.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    name = rng.choice(list(case.files))
    damaged = _damaged(case.files[name], name, rng)
    (folder / name).write_bytes(damaged)
    try:
        found = case.read(folder)
    except SourceError as error:
        text = str(error)
        return ("several lines" if "\n" in text else "refused"), text
    except Exception as error:
        return "other exception", f"{type(error).__name__}: {error}"
    fault = case.find_fault(found)
    return ("table", "") if fault is None else ("suspicious", fault)


def _damaged(content: bytes, name: str, rng: random.Random) -> bytes:
    """Return the content of a file with one to three kinds of damage."""
    if name.endswith(".parquet") and rng.random() < 0.7:
        return _damaged_cells(content, rng)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        content = rng.choice(_DAMAGES)(content, rng)
    return content


def _flip(content: bytes, rng: random.Random) -> bytes:
    if not content:
        return content
    at = rng.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << rng.randrange(8))]) + content[at + 1 :]


def _cut(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _drop(content: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(content) + 1)
    return content[:at] + content[at + rng.choice((1, 2, 5, 20)) :]


def _insert(content: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(content) + 1)
    return content[:at] + rng.choice(_TOKENS) + content[at:]


def _replace(content: bytes, rng: random.Random) -> bytes:
    """Replace one field: what is between blanks or marks."""
    starts = [i for i, byte in enumerate(content) if byte in b"\t\n ,:;|()="] or [0]
    at = rng.choice(starts) + 1
    end = min((i for i in starts if i >= at), default=len(content))
    return content[:at] + rng.choice(_TOKENS) + content[end:]


def _lines(content: bytes, rng: random.Random) -> bytes:
    """Drop, repeat or move a line."""
    lines = content.splitlines(keepends=True)
    if not lines:
        return content
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(3):
        case 0:
            del lines[one]
        case 1:
            lines.insert(other, lines[one])
        case _:
            lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


_DAMAGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flip,
    _cut,
    _drop,
    _insert,
    _replace,
    _replace,
    _lines,
)


def _damaged_cells(content: bytes, rng: random.Random) -> bytes:
    """Return a Parquet file with a cell or a column of another kind, or without a column or rows."""
    import io

    table = pd.read_parquet(io.BytesIO(content))
    column = rng.choice(list(table.columns))
    value = rng.choice(_CELLS)
    match rng.randrange(6):
        case 0:
            table = table.drop(columns=column)
        case 1:
            table = table.iloc[: rng.randrange(len(table))]
        case 2:
            table = pd.concat([table, table.iloc[[rng.randrange(len(table))]]])
        case 3:
            table[column] = pd.Series([value] * len(table), index=table.index, dtype=object)
        case _:
            cells = table[column].tolist()
            cells[rng.randrange(len(cells))] = value
            table[column] = pd.Series(cells, index=table.index, dtype=object)
    out = io.BytesIO()
    try:
        table.to_parquet(out)
    except Exception:
        return content[: len(content) // 2]
    return out.getvalue()


def _memory() -> str | None:
    """Return a folder in memory, if there is one."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
