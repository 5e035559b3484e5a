"""Read WordNet, additional relations, and word pairs with human similarity scores."""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd

from terrarium.senses.data.relations import Lexicon, add_table, build_lexicon, count_differences
from terrarium.senses.options import SourceOptions
from terrarium.sources.columns import read_columns
from terrarium.sources.errors import SourceError
from terrarium.sources.readers import read
from terrarium.sources.wordnet import find_wordnet, read_wordnet, sense_numbers

logger = logging.getLogger(__name__)

WORD_PAIR_COLUMNS = ["dataset", "word1", "word2", "score", "pos"]


def read_lexicon(source: SourceOptions) -> Lexicon:
    """Return WordNet with the additional relations; log its counts and how they differ from WordNet 3.0.

    Raises:
        SourceError: WordNet or the table of relations is missing or damaged.
    """
    folder = find_wordnet(source.path)
    wordnet = read_wordnet(folder)
    lexicon = build_lexicon(wordnet, sense_numbers(folder, "nvar", wordnet.senses))
    for name, (expected, actual) in count_differences(lexicon).items():
        logger.warning("%s: %d %s, and WordNet 3.0 has %d", folder, actual, name.replace("_", " "), expected)
    for row in lexicon.counts.itertuples():
        logger.info("  %-18s %7d stated, %7d pairs", row.relation, row.instances, row.pairs)
    if source.relations is not None:
        lexicon = add_table(lexicon, _read_table(source.relations), source.relations)
    return lexicon


def check_source(source: SourceOptions) -> None:
    """Check that WordNet and the further files exist, and that the word pairs can be read.

    Raises:
        SourceError: a file is missing, or a line of word pairs has a fault.
    """
    find_wordnet(source.path)
    read_word_pairs(source)
    if source.relations is not None and not Path(source.relations).is_file():
        raise SourceError(f"senses.source.relations {source.relations} is not a file: check the path")


def read_word_pairs(source: SourceOptions) -> pd.DataFrame:
    """Return the word pairs of all similarity files.

    Returns:
        Columns dataset (name in `source.similarity`), word1, word2, score (float64), pos (empty if the file has none).

    Raises:
        SourceError: a file is missing, or a line is not word, word and score.
    """
    tables = [
        read("word_pairs", path).assign(dataset=name)[WORD_PAIR_COLUMNS] for name, path in source.similarity.items()
    ]
    if not tables:
        types = {name: "float64" if name == "score" else "str" for name in WORD_PAIR_COLUMNS}
        return pd.DataFrame({name: pd.Series([], dtype=dtype) for name, dtype in types.items()})
    return pd.concat(tables, ignore_index=True)


def _read_table(path: str) -> pd.DataFrame:
    """Return a table of relations: columns of text."""
    table = read_columns(Path(path), "head, relation and tail")
    return pd.DataFrame(table.columns, dtype="str")
