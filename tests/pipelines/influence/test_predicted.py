import pytest
import torch

from terrarium.influence.gradients import probabilities as predicted
from terrarium.influence.gradients.loss_parts import Trained
from terrarium.influence.gradients.probabilities import Predicted
from tests.kge.graphs import random_graph

from .worlds import scorer_of


@pytest.mark.parametrize("loss", ["cross_entropy", "bce"])
@pytest.mark.parametrize("held", [28, 10_000])
@pytest.mark.parametrize("scaled", [False, True])
def test_a_few_rows_at_a_time_are_all_rows(loss, held, scaled, monkeypatch):
    monkeypatch.setattr(predicted, "HELD", held)
    scorer = scorer_of(random_graph(entities=14, relations=3, sizes=(60, 5, 6)), "complex", 0)
    generator = torch.Generator().manual_seed(0)
    query = torch.randn(5, scorer.options.dim, generator=generator, dtype=torch.float64)
    values = query @ scorer.entity.weight.T + scorer.bias
    smooth = 0.1 / 14
    wanted = values.softmax(1) - smooth if loss == "cross_entropy" else (values.sigmoid() - smooth) / 14
    found = Predicted(scorer, query, Trained(loss, 0.1, True, True, 14, 3))
    if scaled:
        factor = torch.rand(14, generator=generator, dtype=torch.float64)
        found, wanted = found.scaled(factor), wanted * factor
    matrix = torch.randn(14, 3, generator=generator, dtype=torch.float64)
    some = torch.tensor([3, 0, 3])
    assert torch.allclose(found.at(some), wanted[:, some])
    assert torch.allclose(found.times(matrix), wanted @ matrix)
    assert torch.allclose(found.at(some), wanted[:, some])
    assert torch.allclose(found.full(), wanted)
    question = torch.tensor([4, 0])
    assert torch.allclose(found.own(question, some[:2]), wanted[question, some[:2]])


def test_single_numbers_of_bce_need_no_row(monkeypatch):
    scorer = scorer_of(random_graph(entities=14, relations=3, sizes=(60, 5, 6)), "complex", 0)
    query = torch.ones(5, scorer.options.dim, dtype=torch.float64)
    found = Predicted(scorer, query, Trained("bce", 0.0, True, True, 14, 3))
    monkeypatch.setattr(found, "_rows", lambda: pytest.fail("a row was computed"))
    wanted = (query @ scorer.entity.weight.T + scorer.bias).sigmoid() / 14
    places = torch.tensor([2, 0])
    assert torch.allclose(found.own(places, places), wanted[places, places])
    assert torch.allclose(found.at(places), wanted[:, places])
