"""Reading WordNet, further relations, and word pairs that people have scored."""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd

from terrarium.senses.options import SourceOptions
from terrarium.senses.data.relations import Lexicon, add_table, build_lexicon, differs_from_expected
from terrarium.sources.errors import SourceError
from terrarium.sources.wordnet import find_wordnet, read_wordnet, sense_numbers

logger = logging.getLogger(__name__)

COLUMNS = ["dataset", "word1", "word2", "score"]


def read_lexicon(source: SourceOptions) -> Lexicon:
    """WordNet with the further relations asked for; what differs from version 3.0 is said."""
    folder = find_wordnet(source.path)
    lexicon = build_lexicon(read_wordnet(folder), sense_numbers(folder))
    for name, (expected, found) in differs_from_expected(lexicon).items():
        logger.warning("%s: %d %s, and WordNet 3.0 has %d", folder, found, name.replace("_", " "), expected)
    for row in lexicon.counts.itertuples():
        logger.info("  %-18s %7d stated, %7d pairs", row.relation, row.instances, row.pairs)
    if source.relations is not None:
        lexicon = add_table(lexicon, _read_table(source.relations), source.relations)
    return lexicon


def read_word_pairs(source: SourceOptions) -> pd.DataFrame:
    """Word pairs and people's scores, all files together: dataset, word1, word2, score.

    Raises:
        SourceError: a file is missing or is not word, word, number by tabs.
    """
    tables = [_read_pairs(name, path) for name, path in source.similarity.items()]
    if not tables:
        return pd.DataFrame({name: pd.Series([], dtype="float64" if name == "score" else "str") for name in COLUMNS})
    return pd.concat(tables, ignore_index=True)


def _read_pairs(name: str, path: str) -> pd.DataFrame:
    if not Path(path).is_file():
        raise SourceError(
            f"senses.source.similarity.{name}: {path} is not a file; give one of word, word, score by tabs"
        )
    table = pd.read_csv(path, sep="\t", header=None, names=COLUMNS[1:], comment="#", usecols=range(3), dtype="str")
    score = pd.to_numeric(table["score"], errors="coerce")
    header = len(table) > 1 and pd.isna(score.iloc[0])
    table, score = table[int(header) :], score[int(header) :]
    if score.isna().any() or table[["word1", "word2"]].isna().any().any():
        line = int(score.isna().to_numpy().argmax()) + 1 + int(header)
        raise SourceError(f"{path}: line {line} is not word, word, score by tabs")
    return table.assign(dataset=name, score=score)[COLUMNS].reset_index(drop=True)


def _read_table(path: str) -> pd.DataFrame:
    if not Path(path).is_file():
        raise SourceError(
            f"senses.source.relations: {path} is not a file; give CSV, TSV or Parquet of head, relation, tail"
        )
    if path.endswith(".parquet"):
        return pd.read_parquet(path)
    return pd.read_csv(path, sep="\t" if path.endswith((".tsv", ".txt")) else ",", dtype="str")
