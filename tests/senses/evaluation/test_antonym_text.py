import numpy as np
import pytest

from terrarium.senses.evaluation.antonym_pairs import SensePairs
from terrarium.senses.evaluation.antonym_text import text_features
from tests.senses.lexicon import lexicon


@pytest.mark.parametrize(
    ("first", "second", "negated"),
    [("happy", "unhappy", 1), ("unhappy", "happy", 1), ("useful", "useless", 1), ("happy", "glad", 0)],
)
def test_negative_prefixes_and_suffixes_are_recognised(first, second, negated):
    given = lexicon()
    senses = given.senses.copy()
    senses.loc[[0, 1], "lemma"] = [first, second]
    other = type(given)(given.synsets, senses, given.relations, given.counts)
    assert text_features(other, SensePairs(np.array([0]), np.array([1])))[0, 1] == negated


def test_a_gloss_overlaps_with_itself_entirely_and_pairs_are_symmetric():
    given, rows = lexicon(), np.arange(len(lexicon().senses))
    same = text_features(given, SensePairs(rows, rows))[:, 0]
    assert set(np.round(same, 6)) <= {0.0, 1.0}
    assert same.max() == 1
    turned = rows[::-1]
    assert np.allclose(text_features(given, SensePairs(rows, turned)), text_features(given, SensePairs(turned, rows)))
