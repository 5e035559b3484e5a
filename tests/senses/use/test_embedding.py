"""What a user asks of sense vectors."""

import numpy as np
import pandas as pd
import pytest

from terrarium.common.names import UnknownNameError
from terrarium.senses.use.embedding import SenseEmbedding

WORDS = {
    "bank%1:17:00::": ("bank", "n", "bank.n.02", [0.0, 1.0, 0.0]),
    "bank%1:14:00::": ("bank", "n", "bank.n.01", [1.0, 0.0, 0.0]),
    "river%1:17:00::": ("river", "n", "river.n.01", [0.1, 1.0, 0.0]),
    "money%1:21:00::": ("money", "n", "money.n.01", [1.0, 0.1, 0.0]),
    "hot%3:00:01::": ("hot", "a", "hot.a.01", [0.0, 0.0, 2.0]),
    "cold%3:00:01::": ("cold", "a", "cold.a.01", [0.0, 0.0, -2.0]),
    "cold%1:26:00::": ("cold", "n", "cold.n.01", [1.0, 1.0, 0.0]),
    "ice_cream%1:13:00::": ("ice_cream", "n", "ice_cream.n.01", [0.5, 0.5, -0.5]),
}


@pytest.fixture
def senses():
    rows = [(key, *values[:3], *values[3]) for key, values in WORDS.items()]
    vectors = pd.DataFrame(rows, columns=["sense_key", "lemma", "pos", "synset", "x0", "x1", "x2"])
    vectors["sense_number"] = vectors["synset"].str.rpartition(".")[2].astype(int)
    synsets = pd.DataFrame({"synset": vectors["synset"], "gloss": "gloss of " + vectors["synset"]})
    return SenseEmbedding(vectors, synsets)


def test_the_senses_of_a_word_come_in_the_order_of_frequency(senses):
    """The table has the second sense of bank first."""
    assert senses.senses_of("Bank")["gloss"].tolist() == ["gloss of bank.n.01", "gloss of bank.n.02"]
    assert senses.senses_of("ice cream")["lemma"].tolist() == ["ice_cream"]
    assert senses.senses_of("river.n.01")["sense_key"].tolist() == ["river%1:17:00::"]


def test_each_sense_of_a_word_has_neighbours_of_its_own(senses):
    first = senses.nearest("bank", k=1)
    assert first["lemma"].tolist() == ["money", "river"]
    assert first["cosine"].tolist() == pytest.approx([1 / np.sqrt(1.01)] * 2, abs=1e-6)


def test_a_vector_may_be_asked_for_and_a_part_of_speech(senses):
    assert senses.nearest(np.array([0, 0, 1.0]), k=1)["lemma"].tolist() == ["hot"]
    assert set(senses.nearest(np.array([0, 0, 1.0]), k=9, pos="n")["pos"]) == {"n"}


def test_similarity_takes_the_best_or_the_mean_pair_of_senses(senses):
    best, mean = senses.similarity("bank", "river"), senses.similarity("bank", "river", "mean")
    assert best == pytest.approx(1 / np.sqrt(1.01), abs=1e-6)
    assert mean == pytest.approx((1.0 + 0.1) / 2 / np.sqrt(1.01), abs=1e-6)


def test_an_axis_has_the_two_words_at_its_ends(senses):
    axis = senses.antonym_axis("hot", "cold", k=1)
    assert axis["lemma"].tolist() == ["hot", "cold"]
    assert axis["position"].tolist() == pytest.approx([1.0, -1.0])
    assert set(axis["pos"]) == {"a"}, "the noun cold, an illness, comes first among the senses of the word"
    with pytest.raises(ValueError, match="'hot' and 'bank' have no part of speech in common"):
        senses.antonym_axis("hot", "bank")


def test_a_dimension_shows_its_largest_and_smallest_senses_without_zeros(senses):
    assert senses.top_words(2, k=5)["lemma"].tolist() == ["hot", "ice_cream", "cold"]
    with pytest.raises(ValueError, match="dimensions 0 to 2"):
        senses.top_words(3)


def test_context_chooses_a_sense(senses):
    assert senses.disambiguate("bank", ["river", "unheard"])["synset"].iloc[0] == "bank.n.02"
    assert senses.disambiguate("bank", ["money"])["synset"].iloc[0] == "bank.n.01"
    with pytest.raises(UnknownNameError, match="none of the words 'unheard'"):
        senses.disambiguate("bank", ["unheard"])


def test_an_unknown_word_is_refused_with_near_ones(senses):
    with pytest.raises(UnknownNameError, match="did you mean 'river'"):
        senses.nearest("rivver")
