import numpy as np
import pandas as pd

from terrarium.senses.reporting.report import dimension_words, nearest_senses, quality_table
from tests.senses.lexicon import options

VECTORS = pd.DataFrame(
    {
        "sense_key": ["hot%1", "warm%1", "dog%1", "cat%1"],
        "lemma": ["hot", "warm", "dog", "cat"],
        "pos": ["a", "a", "n", "n"],
        "sense_number": [1, 1, 1, 1],
        "synset": ["hot.a.01", "hot.a.01", "dog.n.01", "cat.n.01"],
    }
)
ROWS = np.float32([[1, 0], [0.8, 0.6], [0.6, 0.8], [0, 1]])


def test_nearest_senses_are_of_other_synsets():
    table = nearest_senses(VECTORS, ROWS, options().reporting)
    assert table["sense"].tolist() == ["hot%1", "dog%1"]
    assert table["nearest"].tolist() == [
        "dog (dog.n.01) 0.60, cat (cat.n.01) 0.00",
        "warm (hot.a.01) 0.96, cat (cat.n.01) 0.80",
    ]


def test_the_senses_of_a_word_are_shown_in_the_order_of_frequency():
    senses = VECTORS.assign(lemma="hot", pos=["r", "n", "v", "n"], sense_number=[1, 2, 1, 1])
    shown = nearest_senses(senses, ROWS, options().reporting)["sense"]
    assert shown.tolist() == ["cat%1", "warm%1", "dog%1"]


def test_the_words_of_a_dimension_are_those_at_its_ends():
    table = dimension_words(VECTORS, ROWS, options().reporting).set_index("dimension")
    assert table.loc["x0", "highest"] == "hot, dog, cat"
    assert table.loc["x1", "highest"] == "cat, dog, hot"


def test_the_quality_table_shows_trained_truncated_and_random_vectors():
    variants = pd.DataFrame({"variant": ["trained", "40% zeros", "PCA to 4", "random"], "exact_zeros": 0.5})
    assert list(quality_table(variants)) == ["metric", "trained", "PCA to 4", "random", "meaning"]


def test_every_similarity_benchmark_is_shown_with_its_parts_of_speech():
    columns = ["my_set_coverage", "my_set_spearman", "my_set_unlinked_spearman", "my_set_n_spearman"]
    variants = pd.DataFrame({"variant": ["trained"], **dict.fromkeys(columns, 0.5)})
    assert quality_table(variants)["metric"].tolist() == ["my_set", "my_set, unlinked", "my_set, nouns"]
