from functools import cache

import numpy as np
import pytest

from terrarium.kge.data.graph import Graph
from terrarium.kge.models.scorer import build_scorer, export_scorer
from terrarium.kge.use.trained import TrainedGraph, UnknownCategoryError
from terrarium.training.checkpointing.fingerprints import MismatchedArtifactsError
from tests.kge.graphs import options, tables


@cache
def family():
    """Tables of the committed family, and the options of the tests; people and places are its categories."""
    triples, entities, relations = tables()
    is_person = entities["entity"].str.startswith("p")
    return triples, entities.assign(category=np.where(is_person, "person", "place")), relations, options()


def trained_family(**model):
    """The committed family with a random model."""
    triples, entities, relations, chosen = family()
    graph = Graph.from_tables(triples, entities, relations)
    changes = {"name": "complex", "dim": 8, "entity_bias": False} | model
    scorer = build_scorer(chosen.model.model_copy(update=changes), graph.num_entities, graph.num_relations).eval()
    return TrainedGraph(scorer, graph, entities, relations)


def test_weights_and_tables_that_belong_together_make_a_model():
    triples, entities, relations = tables()
    graph = Graph.from_tables(triples, entities, relations)
    weights = export_scorer(build_scorer(options().model, graph.num_entities, graph.num_relations), graph.fingerprint)
    assert TrainedGraph.from_tables(weights, triples, entities, relations).scorer.num_entities == len(entities)
    with pytest.raises(MismatchedArtifactsError):
        TrainedGraph.from_tables(weights, triples.iloc[1:], entities, relations)


def test_members_are_those_of_the_category_and_an_unknown_one_names_the_others():
    trained = trained_family()
    assert (trained.entities["category"].iloc[trained.members("place")] == "place").all()
    assert len(trained.members("place")) + len(trained.members("person")) == len(trained.entities)
    with pytest.raises(UnknownCategoryError, match="person"):
        trained.members("Drug")


def test_answers_are_those_of_training():
    trained = trained_family()
    train = trained.graph.splits["train"]
    for side in (0, 2):
        assert set(trained.answers(1, side)) == set(train[train[:, 1] == 1, side])
