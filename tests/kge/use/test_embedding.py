"""What a user asks of a trained graph."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from terrarium.common.names import UnknownNameError
from terrarium.kge.evaluation.calibration import Calibration, Platt
from terrarium.kge.use.embedding import GraphEmbedding
from terrarium.kge.use.trained import UnknownCategoryError
from tests.kge.use.test_trained import trained_family

MODELS = [{}, {"name": "distmult"}, {"name": "complex", "entity_bias": True}, {"inverse_relations": False}]


@pytest.fixture(scope="module", params=MODELS, ids=str)
def family(request):
    return GraphEmbedding(trained_family(**request.param))


def test_tails_are_ordered_by_the_score_of_their_triple(family):
    found = family.predict("p01", "parent_of", k=5)
    assert found["rank"].tolist() == [1, 2, 3, 4, 5]
    assert found["score"].is_monotonic_decreasing
    scores = family.score("p01", "parent_of", found["entity"].tolist())
    np.testing.assert_allclose(scores, found["score"], atol=1e-5)


def test_heads_are_those_of_the_inverse_relation_or_of_their_triple(family):
    found = family.predict(relation="parent_of", tail="p05", k=50, known=True)
    assert found["score"].is_monotonic_decreasing
    if not family.trained.scorer.options.inverse_relations:
        scores = family.score(found["entity"].tolist(), "parent_of", "p05")
        np.testing.assert_allclose(scores, found["score"], atol=1e-5)


def test_relations_are_ordered_by_the_score_of_their_triple(family):
    found = family.predict("p01", tail="town_1", known=True)
    assert set(found["relation"]) == set(family.trained.relations["relation"])
    np.testing.assert_allclose(family.score("p01", found["relation"].tolist(), "town_1"), found["score"], atol=1e-6)


def test_known_answers_are_shown_when_they_are_wanted(family):
    triples = family.trained.graph.splits["train"]
    head, relation, tail = triples[0]
    names, relations = family.entities["entity"], family.trained.relations["relation"]
    query = (names[head], relations[relation])
    every = family.predict(*query, k=100, known=True)
    assert every.set_index("entity")["known"][names[tail]] == "train"
    rest = family.predict(*query, k=100)
    assert (rest["known"] == "").all()
    assert len(rest) == (every["known"] == "").sum()


def test_candidates_are_answers_of_the_relation_a_category_or_a_list(family):
    places = set(family.entities["entity"][family.entities["category"] == "place"])
    assert set(family.predict("p01", "lives_in", k=100, known=True)["entity"]) <= places
    assert set(family.predict("p01", "parent_of", k=100, among="place")["entity"]) == places
    assert set(family.predict("p01", "parent_of", k=9, among=["p02", "p03"], known=True)["entity"]) == {"p02", "p03"}
    with pytest.raises(UnknownCategoryError):
        family.predict("p01", "parent_of", among="drug")


def test_probabilities_of_all_candidates_known_ones_included_add_to_one(family):
    every = family.predict("p01", "lives_in", k=1000, known=True)
    unknown = family.predict("p01", "lives_in", k=1000)
    np.testing.assert_allclose(every["probability"].sum(), 1.0, atol=1e-6)
    np.testing.assert_allclose(
        unknown["probability"].sum(), 1.0 - every.loc[every["known"] != "", "probability"].sum(), atol=1e-6
    )


def test_a_calibration_replaces_the_softmax():
    trained = replace(trained_family(), calibration=Calibration(Platt(0.0, 100.0), Platt(0.0, 0.0)))
    family = GraphEmbedding(trained)
    np.testing.assert_allclose(family.predict("p01", "lives_in")["probability"], 0.5)
    np.testing.assert_allclose(family.predict(relation="lives_in", tail="town_1")["probability"], 1.0)


def test_two_parts_have_to_be_given(family):
    for given in ({}, {"head": "p01"}, {"head": "p01", "relation": "lives_in", "tail": "town_1"}):
        with pytest.raises(ValueError, match="give two of head, relation and tail"):
            family.predict(**given)


def test_near_names_are_offered(family):
    with pytest.raises(UnknownNameError, match=r"no entity is called 'twn_1'; did you mean 'town_1'"):
        family.score("twn_1", "lives_in", "p01")
    with pytest.raises(UnknownNameError, match="did you mean 'lives_in'"):
        family.predict("p01", "live_in")


def test_a_matrix_of_pairs_has_the_same_scores(family, tmp_path):
    done = family.score_matrix("person", "place", "lives in", tmp_path / "pairs.parquet")
    table = pd.read_parquet(done.path)
    assert done.pairs == len(table)
    some = table.sample(10, random_state=0)
    scores = family.score(some["head"].astype(str).tolist(), "lives_in", some["tail"].astype(str).tolist())
    np.testing.assert_allclose(scores, some["score"], atol=1e-5)


def test_new_entities_answer_and_are_answers():
    family = GraphEmbedding(trained_family())
    rows = pd.DataFrame(
        [("new", "lives_in", "town_1"), ("p01", "parent_of", "new")], columns=["head", "relation", "tail"]
    )
    grown, report = family.add_entities(rows)
    assert (len(grown), report.entities) == (len(family) + 1, 1)
    assert len(grown.predict("new", "parent_of", k=3)) == 3
    old = ("p02", "lives_in", "town_1")
    assert grown.score(*old) == family.score(*old)
    with pytest.raises(ValueError, match="has no checkpoints"):
        grown.explain("new", "lives_in", "town_1")


def test_an_explanation_is_of_the_triple():
    asked = []

    def explainer(triples, k):
        asked.append((triples.tolist(), k))
        return pd.DataFrame()

    family = GraphEmbedding(trained_family(), explainer)
    family.explain("p01", "lives_in", "town_1", k=3)
    assert asked == [(family.triples("p01", "lives_in", "town_1").tolist(), 3)]
    assert family.vectors.shape == (len(family), 8)
    assert repr(family).startswith("GraphEmbedding(44 entities")
