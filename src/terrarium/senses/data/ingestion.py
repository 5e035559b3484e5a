"""Read WordNet, additional relations, and word pairs with human similarity scores."""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd

from terrarium.senses.data.relations import Lexicon, add_table, build_lexicon, count_differences
from terrarium.senses.options import SourceOptions
from terrarium.sources.errors import SourceError
from terrarium.sources.wordnet import find_wordnet, read_wordnet, sense_numbers

logger = logging.getLogger(__name__)

WORD_PAIR_COLUMNS = ["dataset", "word1", "word2", "score"]


def read_lexicon(source: SourceOptions) -> Lexicon:
    """Return WordNet with the additional relations; log its counts and how they differ from WordNet 3.0.

    Raises:
        SourceError: WordNet or the table of relations is missing or damaged.
    """
    folder = find_wordnet(source.path)
    lexicon = build_lexicon(read_wordnet(folder), sense_numbers(folder))
    for name, (expected, actual) in count_differences(lexicon).items():
        logger.warning("%s: %d %s, and WordNet 3.0 has %d", folder, actual, name.replace("_", " "), expected)
    for row in lexicon.counts.itertuples():
        logger.info("  %-18s %7d stated, %7d pairs", row.relation, row.instances, row.pairs)
    if source.relations is not None:
        lexicon = add_table(lexicon, _read_table(source.relations), source.relations)
    return lexicon


def read_word_pairs(source: SourceOptions) -> pd.DataFrame:
    """Return the word pairs of all similarity files.

    Returns:
        Columns dataset (name in `source.similarity`), word1, word2, score (float64).

    Raises:
        SourceError: a file is missing or is not tab-separated word, word, number.
    """
    tables = [_read_pairs(name, path) for name, path in source.similarity.items()]
    if not tables:
        types = {name: "float64" if name == "score" else "str" for name in WORD_PAIR_COLUMNS}
        return pd.DataFrame({name: pd.Series([], dtype=dtype) for name, dtype in types.items()})
    return pd.concat(tables, ignore_index=True)


def _read_pairs(name: str, path: str) -> pd.DataFrame:
    if not Path(path).is_file():
        raise SourceError(
            f"senses.source.similarity.{name}: {path} is not a file; give tab-separated lines of word, word, score"
        )
    table = pd.read_csv(
        path, sep="\t", header=None, names=WORD_PAIR_COLUMNS[1:], comment="#", usecols=range(3), dtype="str"
    )
    score = pd.to_numeric(table["score"], errors="coerce")
    header = len(table) > 1 and pd.isna(score.iloc[0])
    table, score = table[int(header) :], score[int(header) :]
    if score.isna().any() or table[["word1", "word2"]].isna().any().any():
        line = int(score.isna().to_numpy().argmax()) + 1 + int(header)
        raise SourceError(f"{path}: line {line} is not word, word, score separated by tabs")
    return table.assign(dataset=name, score=score)[WORD_PAIR_COLUMNS].reset_index(drop=True)


def _read_table(path: str) -> pd.DataFrame:
    if not Path(path).is_file():
        raise SourceError(
            f"senses.source.relations: {path} is not a file; give CSV, TSV or Parquet of head, relation, tail"
        )
    if path.endswith(".parquet"):
        return pd.read_parquet(path)
    return pd.read_csv(path, sep="\t" if path.endswith((".tsv", ".txt")) else ",", dtype="str")
