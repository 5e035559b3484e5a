import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from terrarium.senses.data.relations import ANTONYM
from terrarium.senses.spectral.components import (
    count_words,
    factorize,
    positive_pmi,
    spectral_components,
    walk_graph,
)
from tests.senses.lexicon import options, tables


def components(made, **changes):
    features = options(**changes).features
    return spectral_components(made["synsets"], made["senses"], made["pairs"], 8, features)


@pytest.mark.parametrize("glosses", [False, True])
def test_held_out_pairs_and_antonyms_have_no_effect(glosses):
    made = tables()
    pairs = made["pairs"]
    unused = (pairs["split"] != "train") | (pairs["relation"] == ANTONYM)
    assert unused.any()
    all_pairs = components(made, features__glosses=glosses)
    assert np.array_equal(all_pairs, components({**made, "pairs": pairs[~unused]}, features__glosses=glosses))
    fewer = pairs[~unused].iloc[1:]
    assert not np.array_equal(all_pairs, components({**made, "pairs": fewer}, features__glosses=glosses))


def test_glosses_are_used_only_if_they_are_asked_for():
    made = tables()
    other = {**made, "synsets": made["synsets"].assign(gloss=made["synsets"]["gloss"].to_numpy()[::-1])}
    assert np.array_equal(components(made, features__glosses=False), components(other, features__glosses=False))
    assert not np.array_equal(components(made, features__glosses=True), components(other, features__glosses=True))


def test_the_graph_is_symmetric_and_weighted_by_relation():
    made = tables()
    size = len(made["synsets"])
    graph = walk_graph(made["senses"], made["pairs"], size, {"hypernym": 7.0}, lemma_weight=3.0)
    assert abs(graph - graph.T).max() == 0
    assert set(np.unique(graph[:size, size:].data)) == {3.0}
    assert 7.0 in graph[:size, :size].data
    assert walk_graph(made["senses"], made["pairs"], size, {}, lemma_weight=0.0)[:size, size:].nnz == 0


@given(rows=st.integers(1, 6), columns=st.integers(1, 6), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_pmi_is_that_of_the_definition(rows, columns, seed):
    rng = np.random.default_rng(seed)
    joint = rng.random((rows, columns)) + 0.01
    p = joint / joint.sum()
    expected = np.maximum(np.log(p / np.outer(p.sum(1), p.sum(0))) - 0.1, 0)
    assert np.allclose(positive_pmi(csr_array(joint), 0.1).toarray(), expected, atol=1e-5)


def test_independent_rows_and_columns_share_no_information():
    joint = csr_array(np.outer([1.0, 2.0], [3.0, 4.0]))
    assert np.allclose(positive_pmi(joint, 0.0).toarray(), 0, atol=1e-6)


def test_a_factorisation_has_the_singular_values_as_squared_lengths_and_zeros_beyond_the_rank():
    rng = np.random.default_rng(0)
    matrix = rng.random((30, 4)) @ rng.random((4, 20))
    made = factorize(csr_array(matrix), 40, 0)
    values = np.linalg.svd(matrix, compute_uv=False)
    assert made.shape == (30, 40)
    assert np.allclose((made**2).sum(0)[:4], values[:4], rtol=1e-3)
    assert (made[:, 30:] == 0).all()


def test_words_of_a_single_gloss_and_stop_words_do_not_count():
    counted = count_words(pd.Series(["the dog barks", "a dog sleeps", "the cat"]))
    assert counted.toarray().tolist() == [[1], [1], [0]]
