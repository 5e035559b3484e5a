"""WordNet 3.0 and Open English WordNet from the database files data.* and index.* (format: wndb(5WN)).

NLTK's reader takes no folder outside its own path, and Debian's package lacks the files `lexnames` and `index.sense`,
whose contents follow from the rest. So the files are read directly, from a folder or from NLTK's wordnet.zip.
"""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from terrarium.sources.archives import find_member, is_archive, read_member
from terrarium.sources.errors import SourceError
from terrarium.sources.files import decode, fault
from terrarium.sources.wordnet_format import FILES, LEXNAMES, POINTERS, SENSE_TYPES

logger = logging.getLogger(__name__)

DEBIAN = Path("/usr/share/wordnet")


@dataclass(frozen=True, eq=False)
class WordNet:
    """The database as three tables; a synset has a part of speech (n, v, a, r) and an offset as its key.

    Attributes:
        synsets: pos, offset, type (n, v, a, s, r), lexname, gloss; one row per synset, in the order of the files.
        senses: pos, offset, word (from 1), lemma (lower case, without marker), form (as written), lex_id, sense_key;
            one row per lemma of a synset.
        relations: pos, offset, word, relation, target_pos, target_offset, target_word; word 0 means the whole synset.
    """

    synsets: pd.DataFrame
    senses: pd.DataFrame
    relations: pd.DataFrame


def find_wordnet(path: str | Path | None = None) -> Path:
    """Return the folder or archive of the database files: `path`, or else Debian's folder, or NLTK's.

    Raises:
        SourceError: there is none; the message lists the ways to get one.
    """
    if path is not None:
        place = Path(path)
        if place.is_dir() or (place.is_file() and is_archive(place)):
            if find_member(place, "data.noun"):
                return place
            raise SourceError(f"source.path {path} has no data.noun: give WordNet's data.* and index.* files")
        raise SourceError(f"source.path {path} is no folder or archive: give WordNet's data.* and index.* files")
    for place in (DEBIAN, *_nltk_places()):
        if (place / "data.noun").is_file() or (place.is_file() and is_archive(place)):
            return place
    raise SourceError(
        "WordNet is not installed: set source.path to a folder or zip with the data.* and index.* files of WordNet 3.0 "
        f"or Open English WordNet, or install Debian's package wordnet-base ({DEBIAN}), or put NLTK's wordnet.zip into "
        "~/nltk_data/corpora, which python -c \"import nltk; nltk.download('wordnet')\" does where nltk is installed"
    )


def read_wordnet(path: str | Path, parts: str = "nvar") -> WordNet:
    """Read the database files of the parts of speech.

    Args:
        path: folder or archive of data.* and index.*, as `find_wordnet` returns it.
        parts: any of n, v, a, r.

    Raises:
        SourceError: a file is missing, or a line has a fault; the message has its number.
    """
    synsets: list[tuple] = []
    words: list[tuple] = []
    pointers: list[tuple] = []
    for pos in parts:
        first: dict[int, int] = {}
        where, lines = _records(Path(path), f"data.{FILES[pos]}")
        for number, tokens, gloss in lines:
            _read_record(pos, tokens, gloss, where, number, (synsets, words, pointers))
            offset = synsets[-1][1]
            if first.setdefault(offset, number) != number:
                raise fault(
                    where, number, f"the offset {offset:08d} is in line {first[offset]} already", "get it again"
                )
    columns = ["pos", "offset", "type", "lexname", "gloss"]
    senses = pd.DataFrame(words, columns=["pos", "offset", "type", "lex_file", "word", "form", "lex_id"])
    relations = pd.DataFrame(
        pointers, columns=["pos", "offset", "word", "relation", "target_pos", "target_offset", "target_word"]
    )
    table = pd.DataFrame(synsets, columns=columns)
    _check_targets(table, relations, parts, path)
    return WordNet(table, _with_keys(senses, relations), relations)


def read_nouns(path: str | Path) -> pd.DataFrame:
    """Read the nouns with their hypernyms; see `read_hypernyms`."""
    return read_hypernyms(path, "n")


def read_verbs(path: str | Path) -> pd.DataFrame:
    """Read the verbs with their hypernyms; see `read_hypernyms`."""
    return read_hypernyms(path, "v")


def read_hypernyms(path: str | Path, pos: str) -> pd.DataFrame:
    """Read nouns or verbs with their hypernyms and instance hypernyms.

    Args:
        path: from `find_wordnet`.
        pos: n or v.

    Returns:
        id (offset), parent (-1 without one), name (as dog.n.01), rank (lexicographer file); one row per link, in the
        order of the file.

    Raises:
        SourceError: as `read_wordnet`.
    """
    wordnet = read_wordnet(path, pos)
    links = wordnet.relations
    links = links[links["relation"].isin(["hypernym", "instance_hypernym"]) & (links["target_pos"] == pos)]
    links = links.drop_duplicates(["offset", "target_offset"])
    first = wordnet.senses[wordnet.senses["word"] == 1].set_index("offset")["lemma"]
    number = sense_numbers(path, pos, wordnet.senses)
    synsets = wordnet.synsets.set_index("offset")
    names = {
        offset: f"{lemma}.{pos}.{number[pos, lemma, offset]:02d}"
        for offset, lemma in zip(first.index.tolist(), first.tolist(), strict=True)
    }
    table = synsets[["lexname"]].join(links.set_index("offset")["target_offset"]).reset_index()
    return pd.DataFrame(
        {
            "id": table["offset"].to_numpy("int64"),
            "parent": table["target_offset"].fillna(-1).to_numpy("int64"),
            "name": table["offset"].map(names).astype("str"),
            "rank": table["lexname"].astype("category"),
        }
    )


def sense_numbers(path: str | Path, parts: str, senses: pd.DataFrame) -> dict[tuple[str, str, int], int]:
    """Return the sense number of each (pos, lemma, offset): its place in the lemma's line of index.*.

    A sense that index.* lacks, as in some versions of Open English WordNet, gets the next number of its lemma, with a
    warning.

    Args:
        path: from `find_wordnet`.
        parts: any of n, v, a, r.
        senses: `WordNet.senses` of the same parts.

    Raises:
        SourceError: a file is missing, or a line has a fault.
    """
    found: dict[tuple[str, str, int], int] = {}
    last = Counter[tuple[str, str]]()
    for pos in parts:
        where, lines = _records(Path(path), f"index.{FILES[pos]}")
        for line, tokens, _ in lines:
            try:
                count = int(tokens[2])
                offsets = [_offset(token) for token in tokens[-count:]]
                if count < 1 or len(tokens) < 6 + count:
                    raise ValueError("too few fields")
            except (IndexError, ValueError) as error:
                raise fault(where, line, f"it is no line of an index ({error})", "get the file again") from error
            for number, offset in enumerate(offsets, start=1):
                found[pos, tokens[0].lower(), offset] = number
            last[pos, tokens[0].lower()] = len(offsets)
    missing = 0
    for pos, lemma, offset in zip(senses["pos"], senses["lemma"], senses["offset"].tolist(), strict=True):
        if (pos, lemma, offset) not in found:
            missing += 1
            last[pos, lemma] += 1
            found[pos, lemma, offset] = last[pos, lemma]
    if missing:
        logger.warning("%s: index.* lacks %s of %s senses; they are numbered last", path, missing, f"{len(senses):,}")
    return found


def _nltk_places() -> list[Path]:
    """Return where NLTK keeps the corpus: its variable NLTK_DATA and its usual folders, packed or not."""
    home = [Path.home() / "nltk_data"]
    given = [Path(place) for place in os.environ.get("NLTK_DATA", "").split(os.pathsep) if place]
    installed = [Path(sys.prefix) / name for name in ("nltk_data", "share/nltk_data", "lib/nltk_data")]
    system = [Path(place) / "nltk_data" for place in ("/usr/share", "/usr/local/share", "/usr/lib", "/usr/local/lib")]
    folders = [folder / "corpora" for folder in (*given, *home, *installed, *system)]
    return [folder / name for folder in folders for name in ("wordnet", "wordnet.zip")]


def _records(place: Path, name: str) -> tuple[str, list[tuple[int, list[str], str]]]:
    """Return the path of a file for messages, and number, fields and gloss of its lines after the indented licence."""
    member = find_member(place, name) if place.exists() else None
    where = f"{place}/{name}"
    if member is None:
        raise SourceError(f"{where} is missing: give a folder or zip with WordNet's data.* and index.* files")
    content = read_member(place, member)
    try:
        text = decode(content, where)
    except SourceError:
        if not content.isascii() and _is_latin(content):
            text = decode(content.decode("latin-1").encode(), where)
        else:
            raise
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line and not line.startswith(" "):
            fields, _, gloss = line.partition("|")
            found.append((number, fields.split(), gloss.strip()))
    if not found:
        raise SourceError(f"{where} has no entry: give WordNet's data.* and index.* files")
    return where, found


def _is_latin(content: bytes) -> bool:
    """Return whether bytes that are not UTF-8 are those of WordNet 3.0: Latin-1 letters in glosses only."""
    return all(line.partition(b"|")[0].isascii() for line in content.splitlines())


def _read_record(
    pos: str, tokens: list[str], gloss: str, where: str, line: int, tables: tuple[list[tuple], list[tuple], list[tuple]]
) -> None:
    """Parse: synset_offset lex_filenum ss_type w_cnt word lex_id ... p_cnt (symbol offset pos source/target) ..."""
    synsets, words, pointers = tables
    try:
        offset, lex_file, kind, count = _offset(tokens[0]), int(tokens[1]), tokens[2], int(tokens[3], 16)
        if kind not in SENSE_TYPES or (kind != pos and (pos, kind) != ("a", "s")) or not 0 < count < 256:
            raise ValueError(f"the type {kind} or the number of words {count}")
        if not 0 <= lex_file < len(LEXNAMES):
            raise ValueError(f"the lexicographer file {lex_file}")
        synsets.append((pos, offset, kind, LEXNAMES[lex_file], gloss))
        for i in range(count):
            words.append((pos, offset, kind, lex_file, i + 1, tokens[4 + 2 * i], int(tokens[5 + 2 * i], 16)))
        at = 4 + 2 * count
        number = int(tokens[at])
        if number < 0 or len(tokens) < at + 1 + 4 * number or (pos != "v" and len(tokens) > at + 1 + 4 * number):
            raise ValueError(f"the number of pointers {number}")
        for i in range(number):
            symbol, target, target_pos, ends = tokens[at + 1 + 4 * i : at + 5 + 4 * i]
            if symbol not in POINTERS or target_pos not in {*FILES, "s"} or len(ends) != 4:
                raise ValueError(f"the pointer {symbol} {target} {target_pos} {ends}")
            start, end = int(ends[:2], 16), int(ends[2:], 16)
            if start > count:
                raise ValueError(f"the pointer from word {start}")
            target_pos = "a" if target_pos == "s" else target_pos
            pointers.append((pos, offset, start, POINTERS[symbol], target_pos, _offset(target), end))
    except (IndexError, ValueError) as error:
        raise fault(where, line, f"it is no synset ({error})", "get the file again") from error


def _offset(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ValueError(f"the offset {text}")
    return int(text)


def _check_targets(synsets: pd.DataFrame, relations: pd.DataFrame, parts: str, path: str | Path) -> None:
    """Refuse pointers to synsets or words that do not exist, in the parts of speech that were read."""
    inside = relations[relations["target_pos"].isin(list(parts))]
    rows = pd.MultiIndex.from_frame(synsets[["pos", "offset"]])
    missing = ~pd.MultiIndex.from_frame(inside[["target_pos", "target_offset"]]).isin(rows)
    if missing.any():
        pointer = inside[missing].iloc[0]
        raise SourceError(
            f"{path}/data.{FILES[pointer['pos']]}: {pointer['offset']:08d} has a pointer to "
            f"{pointer['target_offset']:08d} of data.{FILES[pointer['target_pos']]}, which is missing: get the files "
            "again"
        )


def _with_keys(senses: pd.DataFrame, relations: pd.DataFrame) -> pd.DataFrame:
    """Return senses with lemma and sense key lemma%type:file:id:head:head_id (senseidx(5WN)).

    The head of an adjective satellite is the first word of the synset that it is similar to.
    """
    marker = r"\((?:a|p|ip)\)$"
    senses = senses.assign(lemma=senses["form"].str.replace(marker, "", regex=True).str.lower())
    senses["form"] = senses["form"].str.replace(marker, "", regex=True)
    head = _heads(senses, relations)
    key = (
        senses["lemma"]
        + "%"
        + senses["type"].map(SENSE_TYPES).astype(str)
        + ":"
        + senses["lex_file"].astype(str).str.zfill(2)
        + ":"
        + senses["lex_id"].astype(str).str.zfill(2)
        + ":"
        + head
    )
    return senses.assign(sense_key=key)[["pos", "offset", "word", "lemma", "form", "lex_id", "sense_key"]]


def _heads(senses: pd.DataFrame, relations: pd.DataFrame) -> pd.Series:
    """Return head:head_id of satellites, a colon for other senses."""
    similar = relations[relations["relation"] == "similar_to"].drop_duplicates("offset")
    head_of = similar.set_index("offset")["target_offset"]
    first = senses[(senses["word"] == 1) & (senses["type"] == "a")].set_index("offset")
    names = first["lemma"] + ":" + first["lex_id"].astype(str).str.zfill(2)
    satellites = senses["type"] == "s"
    return senses["offset"].where(satellites).map(head_of).map(names).astype("str").fillna(":")
