"""WordNet 3.0 from its database files data.* and index.* (format: wndb(5WN)).

NLTK's reader takes no folder outside its own path, and Debian's package lacks the files `lexnames` and `index.sense`,
whose contents follow from the rest. So the files are read directly.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from terrarium.sources.errors import SourceError

DEBIAN = Path("/usr/share/wordnet")
FILES = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
_SENSE_TYPES = {"n": 1, "v": 2, "a": 3, "r": 4, "s": 5}
# lexnames(5WN): the position is the number of the lexicographer file
LEXNAMES: tuple[str, ...] = (
    "adj.all",
    "adj.pert",
    "adv.all",
    "noun.Tops",
    "noun.act",
    "noun.animal",
    "noun.artifact",
    "noun.attribute",
    "noun.body",
    "noun.cognition",
    "noun.communication",
    "noun.event",
    "noun.feeling",
    "noun.food",
    "noun.group",
    "noun.location",
    "noun.motive",
    "noun.object",
    "noun.person",
    "noun.phenomenon",
    "noun.plant",
    "noun.possession",
    "noun.process",
    "noun.quantity",
    "noun.relation",
    "noun.shape",
    "noun.state",
    "noun.substance",
    "noun.time",
    "verb.body",
    "verb.change",
    "verb.cognition",
    "verb.communication",
    "verb.competition",
    "verb.consumption",
    "verb.contact",
    "verb.creation",
    "verb.emotion",
    "verb.motion",
    "verb.perception",
    "verb.possession",
    "verb.social",
    "verb.stative",
    "verb.weather",
    "adj.ppl",
)
# wninput(5WN)
POINTERS: dict[str, str] = {
    "!": "antonym",
    "@": "hypernym",
    "@i": "instance_hypernym",
    "~": "hyponym",
    "~i": "instance_hyponym",
    "#m": "member_holonym",
    "#s": "substance_holonym",
    "#p": "part_holonym",
    "%m": "member_meronym",
    "%s": "substance_meronym",
    "%p": "part_meronym",
    "=": "attribute",
    "+": "derivation",
    "*": "entailment",
    ">": "cause",
    "^": "also_see",
    "$": "verb_group",
    "&": "similar_to",
    "<": "participle",
    "\\": "pertainym",
    ";c": "domain_topic",
    "-c": "member_of_topic",
    ";r": "domain_region",
    "-r": "member_of_region",
    ";u": "domain_usage",
    "-u": "member_of_usage",
}


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


def find_wordnet(folder: str | Path | None = None) -> Path:
    """Return the folder of the database files: `folder`, or else Debian's or NLTK's.

    Raises:
        SourceError: there is none; the message lists the ways to get one.
    """
    if folder is not None:
        if (Path(folder) / "data.noun").is_file():
            return Path(folder)
        raise SourceError(f"source.path {folder} has no data.noun: give the folder with WordNet's data.* and index.*")
    found = [place for place in (DEBIAN, *_nltk_folders()) if (place / "data.noun").is_file()]
    if not found:
        raise SourceError(
            "WordNet is not installed: set source.path to a folder with WordNet 3.0's data.* and index.* files, or "
            f"install Debian's package wordnet-base ({DEBIAN}), or unpack NLTK's wordnet.zip into an nltk_data folder "
            "under corpora/wordnet, or run python -c \"import nltk; nltk.download('wordnet')\" where nltk is installed"
        )
    return found[0]


def read_wordnet(folder: Path, parts: str = "nvar") -> WordNet:
    """Read the database files of the parts of speech.

    Args:
        folder: folder of data.* and index.*, as `find_wordnet` returns it.
        parts: any of n, v, a, r.

    Raises:
        SourceError: a file is missing or broken.
    """
    synsets: list[tuple] = []
    words: list[tuple] = []
    pointers: list[tuple] = []
    for pos in parts:
        for tokens, gloss in _records(folder / f"data.{FILES[pos]}"):
            _read_record(pos, tokens, gloss, synsets, words, pointers)
    columns = ["pos", "offset", "type", "lexname", "gloss"]
    senses = pd.DataFrame(words, columns=["pos", "offset", "type", "lex_file", "word", "form", "lex_id"])
    relations = pd.DataFrame(
        pointers, columns=["pos", "offset", "word", "relation", "target_pos", "target_offset", "target_word"]
    )
    return WordNet(pd.DataFrame(synsets, columns=columns), _with_keys(senses, relations), relations)


def read_hypernyms(folder: Path, pos: str) -> pd.DataFrame:
    """Read nouns or verbs with their hypernyms and instance hypernyms.

    Args:
        folder: from `find_wordnet`.
        pos: n or v.

    Returns:
        id (offset), parent (-1 without one), name (as dog.n.01), rank (lexicographer file); one row per link, in the
        order of the file.
    """
    wordnet = read_wordnet(folder, pos)
    links = wordnet.relations
    links = links[links["relation"].isin(["hypernym", "instance_hypernym"]) & (links["target_pos"] == pos)]
    links = links.drop_duplicates(["offset", "target_offset"])
    first = wordnet.senses[wordnet.senses["word"] == 1].set_index("offset")["lemma"]
    number = sense_numbers(folder, pos)
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


def sense_numbers(folder: Path, parts: str = "nvar") -> dict[tuple[str, str, int], int]:
    """Return the sense number of each (pos, lemma, offset): its place in the lemma's line of index.*."""
    found = {}
    for pos in parts:
        for tokens, _ in _records(folder / f"index.{FILES[pos]}"):
            for number, offset in enumerate(tokens[-int(tokens[2]) :], start=1):
                found[pos, tokens[0], int(offset)] = number
    return found


def _nltk_folders() -> list[Path]:
    """Return NLTK's folders of the corpus, if nltk is installed."""
    if importlib.util.find_spec("nltk") is None:
        return []
    from nltk.data import path

    return [Path(place) / "corpora" / name for place in path for name in ("wordnet", "wordnet31")][::2]


def _records(file: Path) -> list[tuple[list[str], str]]:
    """Return fields and gloss of each line; the indented licence at the top is skipped."""
    if not file.is_file():
        raise SourceError(f"{file} is missing: give a folder with WordNet's data.* and index.* files")
    found = []
    for line in file.read_text(encoding="latin-1").splitlines():
        if not line.startswith(" "):
            fields, _, gloss = line.partition("|")
            found.append((fields.split(), gloss.strip()))
    return found


def _read_record(
    pos: str, tokens: list[str], gloss: str, synsets: list[tuple], words: list[tuple], pointers: list[tuple]
) -> None:
    """Parse: synset_offset lex_filenum ss_type w_cnt word lex_id ... p_cnt (symbol offset pos source/target) ..."""
    try:
        offset, lex_file, kind, count = int(tokens[0]), int(tokens[1]), tokens[2], int(tokens[3], 16)
        synsets.append((pos, offset, kind, LEXNAMES[lex_file], gloss))
        for i in range(count):
            words.append((pos, offset, kind, lex_file, i + 1, tokens[4 + 2 * i], int(tokens[5 + 2 * i], 16)))
        at = 4 + 2 * count
        for i in range(int(tokens[at])):
            symbol, target, target_pos, ends = tokens[at + 1 + 4 * i : at + 5 + 4 * i]
            relation = POINTERS[symbol]
            pointers.append((pos, offset, int(ends[:2], 16), relation, target_pos, int(target), int(ends[2:], 16)))
    except (IndexError, ValueError, KeyError) as error:
        raise SourceError(f"WordNet's data.{FILES[pos]} is broken at {' '.join(tokens[:5])!r}: {error!r}") from error


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
        + senses["type"].map(_SENSE_TYPES).astype(str)
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
