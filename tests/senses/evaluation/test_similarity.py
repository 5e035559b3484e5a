from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from terrarium.senses.evaluation.similarity import find_senses, group_by_lemma, look_up_word, similarity_metrics
from terrarium.senses.models.vectors import unit_rows
from tests.senses.lexicon import lexicon, tables
from tests.senses.vectors import DIM


def test_similarity_follows_the_best_pair_of_senses_and_leaves_out_linked_pairs():
    made = tables()
    senses, pairs, synsets = made["senses"], made["pairs"], len(made["synsets"])
    rng = np.random.default_rng(0)
    rows = unit_rows(rng.standard_normal((synsets, DIM), dtype=np.float32))[senses["synset_row"].to_numpy()]
    places = group_by_lemma(senses)
    words = [("dog", "cat"), ("hot", "cold"), ("joy", "happiness"), ("rose", "hammer"), ("unknown", "dog")]
    expected = [float((rows[places[a]] @ rows[places[b]].T).max()) if a in places else 0.0 for a, b in words]
    table = pd.DataFrame(
        {"dataset": "toy", "word1": [a for a, _ in words], "word2": [b for _, b in words], "score": expected, "pos": ""}
    )
    numbers = similarity_metrics(find_senses(table, lexicon()), rows)
    assert numbers["toy_coverage"] == 0.8
    assert numbers["toy_spearman"] == pytest.approx(1)
    trained = pairs.assign(split="train")
    assert similarity_metrics(find_senses(table, lexicon(trained)), rows)["toy_unlinked_pairs"] == 2
    assert len(look_up_word(places, "Domestic Dog")) == 1


def test_only_senses_of_the_part_of_speech_that_the_file_gives_are_compared():
    made = lexicon()
    senses = made.senses.assign(lemma="dog")
    table = pd.DataFrame({"dataset": "toy", "word1": "dog", "word2": "dog", "score": 1.0, "pos": ["n", "v", ""]})
    found = find_senses(table, replace(made, senses=senses))
    letters = [set(senses["pos"].iloc[pair.first]) for pair in found]
    assert letters == [{"n"}, {"v"}, set(senses["pos"])]
