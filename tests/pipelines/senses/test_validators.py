import numpy as np
import pandas as pd
import pytest

from terrarium.common.schemas import TableError
from terrarium.pipelines.senses.validators import check_pairs, check_vectors
from tests.senses.lexicon import tables

NAMES = {"sense_key": ["a%1", "b%1"], "lemma": ["a", "b"], "pos": ["n", "v"], "synset": ["a.n.01", "b.v.01"]}


def test_a_table_of_vectors_that_are_not_of_length_one_is_not_saved():
    check_vectors(pd.DataFrame({**NAMES, "x0": np.float32([1, -1])}))
    with pytest.raises(ValueError, match=r"1 vectors do not have length 1, such as b%1 with 2"):
        check_vectors(pd.DataFrame({**NAMES, "x0": np.float32([1, 2])}))


def test_a_table_of_vectors_with_other_columns_is_not_saved():
    with pytest.raises(TableError, match="synset"):
        check_vectors(pd.DataFrame({**NAMES, "x0": np.float32([1, 1])}).drop(columns="synset"))
    with pytest.raises(TableError, match="vectors: column x0 must be of type float32, not float64: train again"):
        check_vectors(pd.DataFrame({**NAMES, "x0": [1.0, 1.0]}))


def test_pairs_without_antonyms_to_train_on_are_not_saved():
    pairs = tables()["pairs"]
    check_pairs(pairs)
    with pytest.raises(ValueError, match="all antonyms are held out"):
        check_pairs(pairs.assign(split="test"))


def test_pairs_of_an_unknown_split_are_not_saved():
    with pytest.raises(TableError, match="column split must be one of train, validation, test, but row 0 has 'valid'"):
        check_pairs(tables()["pairs"].assign(split="valid"))
