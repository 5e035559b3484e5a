import numpy as np
import pandas as pd
import pytest
import torch

from terrarium.kge.evaluation.baselines import UnknownRelationError
from terrarium.kge.models.scorer import score_entities
from terrarium.kge.use.new_entities import NewEntityError, add_entities
from tests.kge.use.test_trained import trained_family


def triples(*rows):
    return pd.DataFrame(rows, columns=["head", "relation", "tail"])


@pytest.mark.parametrize("model", [{}, {"name": "distmult"}, {"name": "conve", "dim": 16, "entity_bias": True}])
def test_old_embeddings_and_scores_stay_as_they_are(model):
    trained = trained_family(**model)
    before = {name: tensor.clone() for name, tensor in trained.scorer.state_dict().items()}
    made, report = add_entities(trained, triples(("p10", "parent_of", "new"), ("new", "parent_of", "p01")))
    assert all(torch.equal(tensor, before[name]) for name, tensor in trained.scorer.state_dict().items())
    count = len(trained.entities)
    assert torch.equal(made.scorer.entity.weight[:count], before["entity.weight"])
    assert (report.entities, report.triples, len(made.entities)) == (1, 2, count + 1)
    assert report.loss < report.initial_loss
    assert len(made.graph.splits["train"]) == len(trained.graph.splits["train"]) + 2


def test_the_fit_is_a_minimum():
    """Its gradient is zero, and from a perturbed embedding the loss is higher."""
    trained = trained_family()
    made, _ = add_entities(trained, triples(("new", "parent_of", "p01"), ("new", "parent_of", "p02")), n3_weight=0.1)
    entity = made.scorer.entity.weight.detach().clone().requires_grad_(True)
    new = len(trained.entities)
    heads, tails = (
        torch.tensor([new, new, *_numbers(made, "p01", "p02")]),
        torch.tensor([*_numbers(made, "p01", "p02"), new, new]),
    )
    relation = made.relation("parent_of")
    relations = torch.tensor([relation] * 2 + [relation + made.graph.num_relations] * 2)
    scores = score_entities(made.scorer(heads, relations, entity), entity, None)
    half = entity.shape[1] // 2
    cubes = (entity[:, :half].square() + entity[:, half:].square()).sqrt().pow(3).sum(1)
    loss = torch.nn.functional.cross_entropy(scores, tails) + 0.1 * (cubes[heads] + cubes[tails]).mean()
    (gradient,) = torch.autograd.grad(loss, entity)
    assert gradient[new].abs().max() < 1e-3
    assert gradient[:new].abs().max() > 1e-3


def test_a_new_entity_answers_what_it_was_fitted_to():
    trained = trained_family(dim=64)
    made, _ = add_entities(trained, triples(("new", "parent_of", "p07")), n3_weight=0.0)
    with torch.no_grad():
        query = made.scorer(torch.tensor([len(trained.entities)]), torch.tensor([made.relation("parent_of")]))
        scores = score_entities(query, made.scorer.entity.weight, None)[0]
    assert made.entities["entity"].iloc[int(scores.argmax())] == "p07"


def test_names_of_new_entities_are_kept():
    names = pd.DataFrame({"entity": ["new"], "name": ["New one"], "category": ["person"]})
    made, _ = add_entities(trained_family(), triples(("new", "parent_of", "p01")), names)
    assert made.entities.iloc[-1][["entity", "name", "category", "group"]].tolist() == ["new", "New one", "person", ""]
    assert made.members("person")[-1] == len(made.entities) - 1


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        ([], NewEntityError, "no triples"),
        ([("p10", "parent_of", "p01")], NewEntityError, "p10 parent_of p01"),
        ([("new", "eats", "p01")], UnknownRelationError, "eats"),
    ],
)
def test_triples_that_give_no_entity_are_refused(rows, error, message):
    with pytest.raises(error, match=message):
        add_entities(trained_family(), triples(*rows))


def _numbers(made, *ids):
    return [int(np.flatnonzero(made.entities["entity"] == text)[0]) for text in ids]
