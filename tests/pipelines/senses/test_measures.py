"""Measures of vectors: on vectors for which the answer is known, and on random ones."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from terrarium.senses.data.relations import RELATIONS
from terrarium.senses.data.splitting import PARTS
from terrarium.senses.evaluation.antonyms import antonym_metrics, auc
from terrarium.senses.evaluation.axes import antonym_axes, axes_metrics
from terrarium.senses.evaluation.ranking import direction_accuracy, filtered_ranks, summary_of
from terrarium.senses.evaluation.similarity import find_senses, lemma_places, similarity_metrics, word_places
from terrarium.senses.models.vectors import Vectors, ask, cut_by_pca, random_vectors, unit_rows, with_zeros

from .lexicon import tables

DIM = 40


@pytest.fixture
def random():
    made = tables()
    polar = np.arange(DIM) % 20 == 19
    return random_vectors(len(made["synsets"]), made["senses"], DIM, polar, np.random.default_rng(0))


def with_relations(vectors, scale=None, shift=None):
    ones = np.ones((2 * len(RELATIONS), vectors.synsets.shape[1]), np.float32)
    scale = ones if scale is None else scale
    return Vectors(vectors.synsets, vectors.senses, scale, ones * 0 if shift is None else shift, vectors.polar)


def test_auc_is_scikit_learns():
    rng = np.random.default_rng(0)
    high, low = rng.integers(0, 6, 40) + 1, rng.integers(0, 6, 30)
    expected = roc_auc_score(np.repeat([1, 0], [40, 30]), np.concatenate([high, low]))
    assert auc(high, low) == pytest.approx(expected)
    assert np.isnan(auc(high, low[:0]))


def test_ranks_are_filtered_and_ties_count_half():
    rows = np.eye(5, 4, dtype=np.float32)
    rows[4] = [0.9, 0.1, 0, 0]
    vectors = Vectors(unit_rows(rows), rows, None, None, np.zeros(4, bool))
    pairs = pd.DataFrame(
        {
            "relation": RELATIONS.index("similar_to"),
            "head": [0, 0],
            "tail": [4, 1],
            "part": [0, 2],
        }
    )
    ranks = filtered_ranks(vectors, pairs, 10, np.random.default_rng(0))
    # 0 asks for 1: 4 is known, so 1, 2 and 3 are equal; 1 asks for 0: 4 stands first, 0, 2 and 3 are equal
    assert ranks.set_index("direction")["rank"].to_dict() == {"tail": 2.0, "head": 3.0}
    assert summary_of(ranks)["mrr"].iloc[0] == pytest.approx((1 / 2 + 1 / 3) / 2)


def test_a_perfect_model_has_rank_one(random):
    """A shift that leads from each head to its tail."""
    made = tables()
    pairs = made["pairs"][made["pairs"]["relation"] == RELATIONS.index("participle")]
    one = pd.DataFrame({"relation": RELATIONS.index("cause"), "head": [3], "tail": [7], "part": [2]})
    shift = np.zeros((2 * len(RELATIONS), DIM), np.float32)
    shift[RELATIONS.index("cause")] = 10 * random.synsets[7]
    shift[RELATIONS.index("cause") + len(RELATIONS)] = 10 * random.synsets[3]
    ranks = filtered_ranks(with_relations(random, shift=shift), one, 5, np.random.default_rng(0))
    assert ranks["rank"].tolist() == [1, 1]
    assert filtered_ranks(random, pairs[:0], 5, np.random.default_rng(0)).empty


def test_a_symmetric_score_has_no_direction(random):
    child, parent = np.arange(20), np.arange(20, 40)
    assert direction_accuracy(random, child, parent) == 0.5
    shift = np.zeros((2 * len(RELATIONS), DIM), np.float32)
    shift[RELATIONS.index("hypernym")] = random.synsets[parent].sum(0)
    assert direction_accuracy(with_relations(random, shift=shift), child, parent) > 0.7
    assert np.isnan(direction_accuracy(random, child[:0], parent[:0]))


def test_similarity_follows_the_best_pair_of_senses_and_leaves_out_linked_pairs():
    made = tables()
    senses, pairs, synsets = made["senses"], made["pairs"], len(made["synsets"])
    rng = np.random.default_rng(0)
    rows = unit_rows(rng.standard_normal((synsets, DIM), dtype=np.float32))[senses["synset_row"].to_numpy()]
    places = lemma_places(senses)
    words = [("dog", "cat"), ("hot", "cold"), ("joy", "happiness"), ("rose", "hammer"), ("unknown", "dog")]
    expected = [float((rows[places[a]] @ rows[places[b]].T).max()) if a in places else 0.0 for a, b in words]
    table = pd.DataFrame(
        {"dataset": "toy", "word1": [a for a, _ in words], "word2": [b for _, b in words], "score": expected}
    )
    numbers = similarity_metrics(find_senses(table, senses, pairs, synsets), rows)
    assert numbers["toy_coverage"] == 0.8
    assert numbers["toy_spearman"] == pytest.approx(1)
    trained = pairs.assign(part=0)
    assert similarity_metrics(find_senses(table, senses, trained, synsets), rows)["toy_unlinked_pairs"] == 2
    assert len(word_places(places, "Domestic Dog")) == 1


def test_random_vectors_tell_antonyms_from_nothing():
    made = tables()
    found = []
    for seed in range(8):
        vectors = random_vectors(
            len(made["synsets"]), made["senses"], 400, np.arange(400) % 20 == 19, np.random.default_rng(seed)
        )
        found.append(antonym_metrics(vectors, made["senses"], made["pairs"], np.random.default_rng(seed)))
    assert abs(np.mean([f["antonym_auc_random"] for f in found]) - 0.5) < 0.2
    assert np.mean([f["antonym_opposed_dimensions_held_out"] for f in found]) == pytest.approx(0.5, abs=0.05)
    assert found[0]["polar_dimensions"] == 0.05


def test_reflected_antonyms_are_told_from_everything(random):
    made = tables()
    pairs = made["pairs"][made["pairs"]["relation"] == RELATIONS.index("antonym")]
    made_up = random.senses.copy()
    mirror = np.where(random.polar, -1, 1).astype(np.float32)
    for head, tail in zip(pairs["head_sense"], pairs["tail_sense"], strict=True):
        made_up[head][random.polar] *= 3
        made_up[tail] = made_up[head] * mirror
    scale = np.ones((2 * len(RELATIONS), DIM), np.float32)
    scale[RELATIONS.index("antonym")] = mirror
    vectors = Vectors(random.synsets, unit_rows(made_up), scale, scale * 0, random.polar)
    numbers = antonym_metrics(vectors, made["senses"], made["pairs"], np.random.default_rng(0))
    assert numbers["antonym_relation_auc_random"] == 1
    assert numbers["antonym_opposed_dimensions_held_out"] == pytest.approx(0.05)
    assert numbers["antonym_polar_energy_held_out"] == pytest.approx(1)


def test_an_axis_that_parts_its_pairs_is_found_beyond_random_directions():
    rng = np.random.default_rng(0)
    count, dim = 60, 24
    base = 2 * rng.standard_normal((count, dim)).astype(np.float32)
    first, second = base.copy(), base.copy()
    first[:, 0], second[:, 1] = 4, 4
    first[:, 5], second[:, 5] = 4, -4
    rows = unit_rows(np.concatenate([first, second]))
    senses = pd.DataFrame({"lemma": [f"w{i}" for i in range(2 * count)]})
    pairs = pd.DataFrame(
        {
            "relation": RELATIONS.index("antonym"),
            "part": np.repeat([0, PARTS.index("test")], [40, count - 40]),
            "head_sense": np.arange(count),
            "tail_sense": np.arange(count) + count,
        }
    )
    vectors = Vectors(rows, rows, None, None, np.zeros(dim, bool))
    axes = antonym_axes(vectors, senses, pairs, 5, 200, np.random.default_rng(0))
    assert axes["dimension"].tolist() == ["x5", "x5"]
    assert axes["test"].tolist() == ["held-out", "half"]
    assert axes["pairs"].tolist() == [20, 20]
    assert axes["agreement"].tolist() == [1, 1]
    assert (axes["null_95"] < 1).all()
    numbers = axes_metrics(axes)
    assert numbers["axes"] == numbers["axes_beyond_null"] == numbers["axes_held_out_beyond_null"] == 1
    assert numbers["axes_agreement"] == 1
    noise = Vectors(
        *[unit_rows(rng.standard_normal((2 * count, dim)).astype(np.float32))] * 2, None, None, np.zeros(dim, bool)
    )
    null = antonym_axes(noise, senses, pairs, 2, 50, np.random.default_rng(0))
    assert (null["agreement"] > null["null_95"]).mean() < 0.5


def test_variants_keep_length_one(random):
    for share in (0.0, 0.5, 0.9):
        cut = with_zeros(random, share)
        assert np.allclose(np.linalg.norm(cut.synsets, axis=1), 1, atol=1e-5)
        assert (cut.synsets == 0).mean() == pytest.approx(share, abs=0.02)
    assert np.allclose(np.linalg.norm(cut_by_pca(random, 5).senses, axis=1), 1, atol=1e-5)


def test_pca_of_all_directions_keeps_all_cosines(random):
    whole = cut_by_pca(random, DIM)
    assert np.allclose(whole.synsets @ whole.synsets.T, random.synsets @ random.synsets.T, atol=1e-4)


def test_without_relations_a_query_is_the_head(random):
    assert ask(random, random.synsets, "hypernym") is random.synsets
    asked = ask(with_relations(random), random.synsets, "hypernym", inverse=True)
    assert np.allclose(asked, random.synsets, atol=1e-6)
