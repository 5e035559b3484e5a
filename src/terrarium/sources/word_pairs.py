"""Word pairs with human similarity scores, as WordSim-353, SimLex-999, MEN, HyperLex and others are shipped."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from terrarium.sources.columns import NUMBER
from terrarium.sources.errors import SourceError
from terrarium.sources.files import fault, text_lines

_SPLITTERS = {
    "tabs": re.compile(r"\t"),
    "commas": re.compile(r","),
    "semicolons": re.compile(r";"),
    "blanks": re.compile(r"\s+"),
}
_SCORE_COLUMNS = ("human (mean)", "simlex999", "score", "similarity", "sim", "mean", "avg_score", "average", "rating")
_PART_OF_SPEECH = re.compile(r"(.+)(?:-([nvjra])|_([NVJRA])|#([nvar]))")
_LETTERS = {"n": "n", "noun": "n", "v": "v", "verb": "v", "a": "a", "j": "a", "adj": "a", "adjective": "a", "r": "r"}
"""Names that benchmarks give to parts of speech -> WordNet's letter."""
_TEXT = dict.fromkeys(["word1", "word2", "pos"], "str")
_WANTED = "give word, word and score in each line"


def read_word_pairs(path: str | Path) -> pd.DataFrame:
    """Read pairs of words with a score.

    The delimiter is what splits the first line into the most fields, of tabs, commas, semicolons and blanks. With a
    header, the score is the column that its benchmark calls so, otherwise the third, and the column POS is the part of
    speech. Lines that begin with # are comments. A part of speech behind all words (sun-n) is removed.

    Args:
        path: the file; .gz, .xz and .bz2 are unpacked.

    Returns:
        word1, word2, score (float64), pos (n, v, a or r if the file says that both words are of it, otherwise empty);
        one row per pair.

    Raises:
        SourceError: the file is missing or has no pair, or a line has a fault; the message has its number.
    """
    file = Path(path)
    lines = [(number, line) for number, line in text_lines(file) if line.strip() and not line.startswith("#")]
    if not lines:
        raise SourceError(f"{file} has no pair: {_WANTED}")
    splitter = _splitter(lines[0][1])
    header = [_cell(cell).lower() for cell in splitter.split(lines[0][1].strip())]
    if len(header) < 3:
        raise fault(file, lines[0][0], f"it is not word, word and score: {lines[0][1][:60]!r}", _WANTED)
    has_header = not any(NUMBER.fullmatch(cell) for cell in header) and len(lines) > 1
    at = _score_column(header) if has_header else 2
    at_pos = header.index("pos") if has_header and "pos" in header else None
    rows = []
    for number, line in lines[int(has_header) :]:
        cells = [_cell(cell) for cell in splitter.split(line.strip())]
        if len(cells) <= at or not (cells[0] and cells[1]) or not NUMBER.fullmatch(cells[at]):
            raise fault(file, number, f"it is not word, word and score: {line[:60]!r}", _WANTED)
        if '"' in cells[0] + cells[1]:
            raise fault(file, number, f"a quote without its partner: {line[:60]!r}", "correct the line")
        if len(cells) != len(header) and splitter is not _SPLITTERS["blanks"]:
            raise fault(file, number, f"{len(cells)} fields, and the first line has {len(header)}", "correct the line")
        score = float(cells[at])
        if abs(score) == float("inf"):
            raise fault(file, number, f"the score {cells[at]} is not finite", "correct it")
        pos = "" if at_pos is None else _LETTERS.get(cells[at_pos].lower(), "")
        rows.append((cells[0], cells[1], score, pos))
    return _without_suffixes(pd.DataFrame(rows, columns=["word1", "word2", "score", "pos"])).astype(_TEXT)


def _without_suffixes(table: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs without parts of speech behind the words, if all words have one; `pos` is what both have."""
    found = [[_PART_OF_SPEECH.fullmatch(word) for word in table[name]] for name in ("word1", "word2")]
    if not all(match for words in found for match in words):
        return table
    letters = [[_LETTERS[match[match.lastindex or 0].lower()] for match in words if match] for words in found]
    pos = [a if a == b else "" for a, b in zip(*letters, strict=True)]
    words = {f"word{i}": [match.group(1) for match in words if match] for i, words in enumerate(found, start=1)}
    return table.assign(**words, pos=pos)


def _splitter(line: str) -> re.Pattern[str]:
    """Return what splits a line into three or more fields; tabs first, blanks last."""
    for pattern in _SPLITTERS.values():
        if len(pattern.split(line.strip())) >= 3:
            return pattern
    return _SPLITTERS["tabs"]


def _score_column(header: list[str]) -> int:
    """Return the position of the score: the column with a known name, or else the first after the two words."""
    for name in _SCORE_COLUMNS:
        if name in header[2:]:
            return header.index(name, 2)
    return 2


def _cell(text: str) -> str:
    """Return a field without blanks and quotes around it."""
    found = text.strip()
    return found[1:-1].replace('""', '"') if len(found) > 1 and found[0] == found[-1] == '"' else found
