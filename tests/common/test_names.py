"""Rows are found by name, key or id, and what is not found is named with near matches."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.common.names import NameIndex, UnknownNameError


def index(names, ids=None, keys=None):
    texts = {"name": pd.Series(names, dtype="str")} | ({"key": pd.Series(keys, dtype="str")} if keys else {})
    return NameIndex(texts, None if ids is None else np.array(ids), "taxon")


ANIMALS = index(["Homo sapiens", "Pan", None, "Pan"], ids=[9606, 9598, 7, 9599], keys=["h:1", "p:1", "x:1", "p:2"])


@pytest.mark.parametrize("item", ["Homo sapiens", "homo SAPIENS", "h:1", 9606, "9606", np.int64(9606)])
def test_a_row_is_found_by_name_key_and_id(item):
    assert ANIMALS.row(item) == 0


def test_an_exact_name_wins_over_one_in_another_case():
    assert index(["PAN", "Pan"]).row("Pan") == 1


def test_a_name_that_is_a_number_wins_over_an_id():
    assert index(["a", "7"], ids=[7, 8]).row("7") == 1


def test_a_name_of_two_rows_is_refused_with_their_ids():
    with pytest.raises(UnknownNameError, match=r"2 rows are called 'Pan': use one of 9598, 9599 instead"):
        ANIMALS.row("Pan")


def test_an_unknown_name_is_refused_with_near_ones():
    with pytest.raises(UnknownNameError, match=r"no taxon is called 'Homo sapien'; did you mean 'Homo sapiens'\?"):
        ANIMALS.row("Homo sapien")
    with pytest.raises(UnknownNameError, match=r"no taxon is called 12$"):
        ANIMALS.row(12)


@given(st.lists(st.text(min_size=1), min_size=1, unique_by=str.lower))
def test_every_unique_name_finds_its_row(names):
    found = index(names)
    assert found.rows(names).tolist() == list(range(len(names)))
