import numpy as np
import pytest
import torch

from terrarium.kge.data.graph import Graph
from terrarium.kge.evaluation.baselines import UnknownRelationError
from terrarium.kge.evaluation.predictions import (
    NothingToPredictError,
    UnknownEntityError,
    choose_queries,
    predict_answers,
)
from terrarium.kge.evaluation.ranking import ScoresNotFiniteError
from terrarium.kge.models.scorer import build_scorer, score_entities
from tests.kge.graphs import options, tables


def made(**predict_options):
    """The predictions of a random model; known answers are among them unless the options leave them out."""
    predict_options = {"include_known": True} | predict_options
    chosen = options(**{f"evaluation__predict__{name}": value for name, value in predict_options.items()})
    triples, entities, relations = tables()
    graph = Graph.from_tables(triples, entities, relations)
    model = build_scorer(chosen.model, graph.num_entities, graph.num_relations).eval()
    return predict_answers(graph, entities, relations, model, chosen.evaluation), model, graph, triples, entities


def test_the_best_answers_are_the_highest_scores_with_names_and_splits():
    found, model, _, triples, entities = made(heads=["p02"], relation="parent_of", top_k=44, candidates="entities")
    head = entities.index[entities["entity"] == "p02"]
    with torch.no_grad():
        every = score_entities(model(torch.tensor(head), torch.tensor([1])), model.entity.weight, model.bias)[0]
    order = torch.argsort(every, descending=True)
    relation = triples[triples["relation"] == "parent_of"].astype(str)
    assert found["tail"].tolist() == entities["entity"].iloc[order.numpy()].tolist()
    assert found["rank"].tolist() == list(range(1, 45))
    assert found["score"].to_numpy() == pytest.approx(every[order].numpy(), rel=1e-5)
    assert found["tail_name"].tolist() == entities["name"].iloc[order.numpy()].tolist()
    splits = {row["tail"]: row["split"] for _, row in relation[relation["head"] == "p02"].iterrows()}
    assert {row["tail"]: row["known"] for _, row in found.iterrows() if row["known"]} == splits


def test_answers_are_those_that_training_knows_for_the_relation():
    found, _, _, triples, _ = made(heads=["p02"], relation="lives_in", top_k=44, candidates="answers")
    every, *_ = made(heads=["p02"], relation="lives_in", top_k=44, candidates="entities")
    train = triples[(triples["relation"] == "lives_in") & (triples["split"] == "train")]
    wanted = every[every["tail"].isin(train["tail"].astype(str))]
    assert 0 < len(found) < len(every)
    assert found["tail"].tolist() == wanted["tail"].tolist()
    assert found["score"].tolist() == wanted["score"].tolist()
    assert found["rank"].tolist() == list(range(1, len(found) + 1))


def test_without_heads_those_of_the_first_test_triples_are_asked():
    found, _, graph, _, entities = made(heads=[], relation=None, top_k=2)
    asked = {entities["entity"].iloc[head] for head in graph.splits["test"][:, 0]}
    assert 1 <= found["head"].nunique() <= 5
    assert set(found["head"]) <= asked
    _, entities, relations = tables()
    none = Graph(graph.num_entities, graph.num_relations, dict(graph.splits, test=graph.splits["test"][:0]))
    with pytest.raises(NothingToPredictError, match="no test triple has the relation 'lives_in'"):
        choose_queries(
            none,
            entities,
            relations,
            options(evaluation__predict__relation="lives_in", evaluation__predict__heads=[]).evaluation.predict,
        )
    only, *_ = made(heads=[], relation="lives_in", top_k=2)
    assert set(only["relation"]) == {"lives_in"}


def test_scores_that_are_no_numbers_are_an_error_and_no_answer():
    chosen, (triples, entities, relations) = options(), tables()
    graph = Graph.from_tables(triples, entities, relations)
    model = build_scorer(chosen.model, graph.num_entities, graph.num_relations).eval()
    with torch.no_grad():
        model.bias[3] = torch.nan
    with pytest.raises(ScoresNotFiniteError):
        predict_answers(graph, entities, relations, model, chosen.evaluation)


def test_what_was_left_out_is_known():
    found, model, graph, _, entities = made(heads=["p02"], relation="parent_of", top_k=44, candidates="entities")
    answer = found[found["known"] == ""].iloc[0]
    tail = entities.index[entities["entity"] == answer["tail"]][0]
    head = entities.index[entities["entity"] == "p02"][0]
    parts = {**graph.splits, "left_out": np.array([[head, 1, tail]])}
    chosen = options(
        evaluation__predict={
            "heads": ["p02"],
            "tails": [],
            "include_known": True,
            "relation": "parent_of",
            "top_k": 44,
            "candidates": "entities",
        }
    )
    again = predict_answers(
        Graph(graph.num_entities, graph.num_relations, parts), entities, tables()[2], model, chosen.evaluation
    )
    assert again.set_index("tail").loc[answer["tail"], "known"] == "left_out"


def test_names_that_do_not_exist_or_are_shared_are_refused():
    with pytest.raises(UnknownEntityError, match="no entity 'nobody'"):
        made(heads=["nobody"])
    with pytest.raises(UnknownRelationError, match="no relation 'eats'"):
        made(relation="eats")
    _, model, graph, _, entities = made()
    shared = entities.assign(name="same")
    chosen = options(evaluation__predict__heads=["same"])
    with pytest.raises(UnknownEntityError, match="names 44 entities: give the id of one"):
        predict_answers(graph, shared, tables()[2], model, chosen.evaluation)


@pytest.mark.parametrize("side", ["heads", "tails"])
def test_known_answers_are_left_out_unless_asked_for(side):
    given = {side: ["p02"], "relation": "lives_in", "top_k": 44, "candidates": "entities"}
    given |= {} if side == "heads" else {"heads": [], "tails": [made(heads=["p02"])[3]["tail"].astype(str).iloc[0]]}
    every, *_ = made(**given)
    new, *_ = made(**given, include_known=False)
    assert (every["known"] != "").any()
    assert (new["known"] == "").all()
    answer = "tail" if side == "heads" else "head"
    assert new[answer].tolist() == every.loc[every["known"] == "", answer].tolist()
    assert new["rank"].tolist() == list(range(1, len(new) + 1))


def test_relations_of_pairs_are_predicted_by_the_same_scores():
    found, model, _, _, entities = made(heads=["p02"], tails=["p01"], relation=None)
    head, tail = (int(entities.index[entities["entity"] == name][0]) for name in ("p02", "p01"))
    with torch.no_grad():
        query = model(torch.tensor([head] * 3), torch.arange(3))
        expected = score_entities(query, model.entity.weight, model.bias)[:, tail]
    assert found["score"].tolist() == pytest.approx(expected.sort(descending=True).values.tolist(), rel=1e-5)
    assert set(found["relation"]) == set(tables()[2]["relation"])


def test_heads_and_tails_that_are_no_pairs_are_refused():
    with pytest.raises(ValueError, match="as many tails as heads"):
        made(heads=["p01", "p02"], tails=["p01"], relation=None)
