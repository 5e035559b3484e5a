"""WordNet's relations as pairs of rows: inverse relations are merged into one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd

from terrarium.sources.errors import SourceError
from terrarium.sources.wordnet import WordNet

INVERSES: dict[str, str] = {
    "hyponym": "hypernym",
    "instance_hyponym": "instance_hypernym",
    "member_meronym": "member_holonym",
    "part_meronym": "part_holonym",
    "substance_meronym": "substance_holonym",
    "member_of_topic": "domain_topic",
    "member_of_region": "domain_region",
    "member_of_usage": "domain_usage",
}
"""Relation -> its inverse. WordNet states both; a pair is kept under the name of the value."""
SymmetricRelation = Literal["also_see", "antonym", "attribute", "derivation", "similar_to", "verb_group"]
DirectedRelation = Literal[
    "cause",
    "domain_region",
    "domain_topic",
    "domain_usage",
    "entailment",
    "hypernym",
    "instance_hypernym",
    "member_holonym",
    "part_holonym",
    "participle",
    "pertainym",
    "substance_holonym",
]
RelationName = Literal[SymmetricRelation, DirectedRelation]
SYMMETRIC: frozenset[str] = frozenset(get_args(SymmetricRelation))
DIRECTED: frozenset[str] = frozenset(get_args(DirectedRelation))
RELATIONS: tuple[str, ...] = tuple(sorted(SYMMETRIC | DIRECTED))
"""Names of all relations. Tables hold a relation as its position here."""
ANTONYM = RELATIONS.index("antonym")
HYPERNYM = "hypernym"
IS_A: tuple[int, ...] = (RELATIONS.index("hypernym"), RELATIONS.index("instance_hypernym"))
"""Numbers of the relations of the taxonomy."""

WORDNET_3_COUNTS = {"synsets": 117_659, "senses": 206_949, "antonym_links": 7_979}
"""WordNet states 206,978 senses; 29 of them differ from another of their synset only in case (B, b)."""


@dataclass(frozen=True, eq=False)
class Lexicon:
    """Synsets, senses and relations.

    Attributes:
        synsets: one row per synset: synset (such as dog.n.01), pos, type, lexname, gloss.
        senses: one row per sense key: sense_key, lemma, form, pos, sense_number (from 1; WordNet's order of frequency
            within lemma and pos), synset, synset_row, and offset_row (row of its offset in the model's table, -1:
            none).
        relations: one row per pair: relation (number in RELATIONS), head and tail (synset rows), head_sense and
            tail_sense (sense rows, -1: the whole synset).
        counts: relation, instances (as stated in the files), pairs (after merging inverses and duplicates).
    """

    synsets: pd.DataFrame
    senses: pd.DataFrame
    relations: pd.DataFrame
    counts: pd.DataFrame


def build_lexicon(wordnet: WordNet, numbers: dict[tuple[str, str, int], int]) -> Lexicon:
    """Number and name synsets, senses and relations.

    Args:
        wordnet: from `read_wordnet`.
        numbers: sense number of each (pos, lemma, offset), from `sense_numbers`.

    Raises:
        SourceError: there are no antonyms, or a relation leads to a synset that does not exist.
    """
    rows = pd.MultiIndex.from_frame(wordnet.synsets[["pos", "offset"]])
    senses = wordnet.senses.assign(synset_row=_look_up(rows, wordnet.senses, "pos", "offset"))
    relations = _ends(wordnet, senses, rows)
    senses = _merge_forms(senses, relations)
    counts = relations.groupby("stated").size().rename("instances")
    if "antonym" not in counts:
        raise SourceError(
            "this WordNet has no antonyms, which training needs: give a folder with data.adj, data.adv, data.noun and "
            "data.verb as senses.source.path"
        )
    merged = _merge(relations)
    senses["offset_row"] = _offset_rows(senses, merged, len(rows))
    names = _synset_names(wordnet.synsets, senses, numbers)
    synsets = wordnet.synsets.assign(synset=names)[["synset", "pos", "type", "lexname", "gloss"]]
    named = zip(senses["pos"], senses["lemma"], senses["offset"], strict=True)
    senses = senses.assign(
        synset=names[senses["synset_row"].to_numpy()],
        sense_number=np.array([numbers[sense] for sense in named], np.int32),
    )
    kept = ["sense_key", "lemma", "form", "pos", "sense_number", "synset", "synset_row", "offset_row"]
    return Lexicon(synsets, senses[kept], merged, _counts(counts, merged))


def add_table(lexicon: Lexicon, table: pd.DataFrame, path: str | Path) -> Lexicon:
    """Return the lexicon with additional relations.

    Args:
        lexicon: to extend; it is not changed.
        table: columns head, relation and tail; head and tail are sense keys or synset names.
        path: of the table, for messages.

    Raises:
        SourceError: a column is missing, or a name is unknown.
    """
    missing = {"head", "relation", "tail"} - set(table.columns)
    if missing:
        raise SourceError(f"{path} lacks the columns {', '.join(sorted(missing))}: give head, relation and tail")
    unknown = sorted(set(table["relation"]) - set(RELATIONS))
    if unknown:
        raise SourceError(f"{path} has unknown relations {', '.join(unknown[:5])}: choose from {', '.join(RELATIONS)}")
    keys = lexicon.senses.set_index("sense_key")
    rows = pd.Series(np.arange(len(lexicon.synsets)), index=lexicon.synsets["synset"].to_numpy())
    row_of = pd.concat([keys["synset_row"], rows])
    unknown_ends = sorted((set(table["head"]) | set(table["tail"])) - set(row_of.index))
    if unknown_ends:
        raise SourceError(
            f"{path} names {len(unknown_ends):,} unknown senses, such as {', '.join(map(repr, unknown_ends[:3]))}: give "
            "sense keys (dog%1:05:00::) or synset names (dog.n.01) of this WordNet"
        )
    added = pd.DataFrame(
        {
            "relation": table["relation"].map(RELATIONS.index).astype("int16"),
            "head": table["head"].map(row_of).astype("int32"),
            "tail": table["tail"].map(row_of).astype("int32"),
        }
    ).assign(head_sense=np.int32(-1), tail_sense=np.int32(-1))
    relations = _canonical(pd.concat([lexicon.relations, added], ignore_index=True))
    instances = lexicon.counts.set_index("relation")["instances"].add(table["relation"].value_counts(), fill_value=0)
    return Lexicon(lexicon.synsets, lexicon.senses, relations, _counts(instances.astype(int), relations))


def count_differences(lexicon: Lexicon) -> dict[str, tuple[int, int]]:
    """Return the counts (WordNet 3.0's, the lexicon's) of synsets, senses and antonym_links that differ."""
    stated = lexicon.counts.set_index("relation")["instances"]
    actual = {
        "synsets": len(lexicon.synsets),
        "senses": len(lexicon.senses),
        "antonym_links": int(stated.get("antonym", 0)),
    }
    return {name: (count, actual[name]) for name, count in WORDNET_3_COUNTS.items() if actual[name] != count}


def _look_up(rows: pd.MultiIndex, table: pd.DataFrame, pos: str, offset: str) -> np.ndarray:
    return rows.get_indexer(pd.MultiIndex.from_arrays([table[pos], table[offset]])).astype(np.int32)


def _ends(wordnet: WordNet, senses: pd.DataFrame, rows: pd.MultiIndex) -> pd.DataFrame:
    """Return the rows of both ends of each stated relation; word number 0 means the whole synset."""
    stated = wordnet.relations
    numbered = pd.MultiIndex.from_frame(senses[["pos", "offset", "word"]])

    def sense(pos: str, offset: str, word: str) -> np.ndarray:
        keys = pd.MultiIndex.from_arrays([stated[pos], stated[offset], stated[word]])
        return numbered.get_indexer(keys).astype(np.int32)

    ends = pd.DataFrame(
        {
            "stated": stated["relation"].to_numpy(),
            "head": _look_up(rows, stated, "pos", "offset"),
            "tail": _look_up(rows, stated, "target_pos", "target_offset"),
            "head_sense": sense("pos", "offset", "word"),
            "tail_sense": sense("target_pos", "target_offset", "target_word"),
        }
    )
    missing = ends["tail"] < 0
    if missing.any():
        first = stated[missing.to_numpy()].iloc[0]
        raise SourceError(
            f"{int(missing.sum()):,} relations lead to synsets that do not exist, such as {first['relation']} from "
            f"{first['pos']}{first['offset']} to {first['target_pos']}{first['target_offset']}: the folder mixes "
            "versions or is incomplete; give one complete WordNet as senses.source.path"
        )
    return ends


def _merge_forms(senses: pd.DataFrame, ends: pd.DataFrame) -> pd.DataFrame:
    """Return one row per sense key and renumber the ends, in place: forms that differ in case (B, b) are one sense."""
    key, _ = pd.factorize(senses["sense_key"])
    for end in ("head_sense", "tail_sense"):
        sense = ends[end].to_numpy()
        ends[end] = np.where(sense >= 0, key[sense], -1).astype(np.int32)
    return senses.drop_duplicates("sense_key").reset_index(drop=True)


def _merge(ends: pd.DataFrame) -> pd.DataFrame:
    """Return one row per pair; inverse relations are reversed, and the smaller end of a symmetric pair comes first."""
    reversed_ = ends["stated"].isin(INVERSES)
    name = ends["stated"].replace(INVERSES)
    merged = pd.DataFrame(
        {
            "relation": name.map({relation: i for i, relation in enumerate(RELATIONS)}).astype("int16"),
            "head": ends["head"].where(~reversed_, ends["tail"]),
            "tail": ends["tail"].where(~reversed_, ends["head"]),
            "head_sense": ends["head_sense"].where(~reversed_, ends["tail_sense"]),
            "tail_sense": ends["tail_sense"].where(~reversed_, ends["head_sense"]),
        }
    )
    return _canonical(merged)


def _canonical(pairs: pd.DataFrame) -> pd.DataFrame:
    symmetric = pairs["relation"].isin([RELATIONS.index(name) for name in SYMMETRIC])
    backwards = symmetric & (
        (pairs["head"] > pairs["tail"])
        | ((pairs["head"] == pairs["tail"]) & (pairs["head_sense"] > pairs["tail_sense"]))
    )
    swapped = pairs.rename(
        columns={"head": "tail", "tail": "head", "head_sense": "tail_sense", "tail_sense": "head_sense"}
    )
    pairs = pairs.where(~backwards, swapped[pairs.columns])
    same = (pairs["head"] == pairs["tail"]) & (pairs["head_sense"] == pairs["tail_sense"])
    kept = pairs[~same].drop_duplicates().sort_values(["relation", "head", "tail", "head_sense", "tail_sense"])
    types = {"relation": "int16", "head": "int32", "tail": "int32", "head_sense": "int32", "tail_sense": "int32"}
    return kept.reset_index(drop=True).astype(types)


def _offset_rows(senses: pd.DataFrame, relations: pd.DataFrame, synsets: int) -> np.ndarray:
    """Return an offset row for each sense that shares its synset and has a relation of its own, -1 for the others."""
    named = pd.concat([relations["head_sense"], relations["tail_sense"]]).unique()
    shared = senses.groupby("synset_row")["word"].transform("size").to_numpy() > 1
    own = np.zeros(len(senses), bool)
    own[named[named >= 0]] = True
    own &= shared
    rows = np.full(len(senses), -1, np.int32)
    rows[own] = synsets + np.arange(own.sum(), dtype=np.int32)
    return rows


def _synset_names(synsets: pd.DataFrame, senses: pd.DataFrame, numbers: dict[tuple[str, str, int], int]) -> np.ndarray:
    """Return names such as dog.n.01; satellite adjectives have the letter s."""
    first = senses[senses["word"] == 1]
    letter = synsets["type"].to_numpy()[first["synset_row"].to_numpy()]
    named = zip(first["pos"], first["lemma"], first["offset"], letter, strict=True)
    return np.array([f"{lemma}.{kind}.{numbers[pos, lemma, offset]:02d}" for pos, lemma, offset, kind in named])


def _counts(instances: pd.Series, relations: pd.DataFrame) -> pd.DataFrame:
    """Return instances and pairs per stated relation; a pair counts under the name it is kept by."""
    pairs = relations["relation"].map(dict(enumerate(RELATIONS))).value_counts()
    table = instances.rename("instances").rename_axis("relation").reset_index()
    return table.assign(pairs=table["relation"].map(pairs).fillna(0).astype(int))
