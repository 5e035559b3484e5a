import pytest
import torch

from terrarium.influence.gradients import probabilities
from terrarium.influence.gradients.loss_parts import LossSpec
from terrarium.influence.gradients.probabilities import Predictions
from tests.influence.autograd_reference import scorer_of
from tests.kge.graphs import random_graph


@pytest.mark.parametrize("loss", ["cross_entropy", "bce"])
@pytest.mark.parametrize("held", [28, 10_000])
@pytest.mark.parametrize("scaled", [False, True])
def test_a_few_rows_at_a_time_are_all_rows(loss, held, scaled, monkeypatch):
    monkeypatch.setattr(probabilities, "MAX_ELEMENTS", held)
    scorer = scorer_of(random_graph(entities=14, relations=3, sizes=(60, 5, 6)), "complex", 0)
    generator = torch.Generator().manual_seed(0)
    query = torch.randn(5, scorer.options.dim, generator=generator, dtype=torch.float64)
    values = query @ scorer.entity.weight.T + scorer.bias
    smooth = 0.1 / 14
    wanted = values.softmax(1) - smooth if loss == "cross_entropy" else (values.sigmoid() - smooth) / 14
    found = Predictions(scorer, query, LossSpec(loss, 0.1, True, True, 14, 3))
    if scaled:
        factor = torch.rand(14, generator=generator, dtype=torch.float64)
        found, wanted = found.scale_entities(factor), wanted * factor
    matrix = torch.randn(14, 3, generator=generator, dtype=torch.float64)
    some = torch.tensor([3, 0, 3])
    assert torch.allclose(found.columns(some), wanted[:, some])
    assert torch.allclose(found.matmul(matrix), wanted @ matrix)
    assert torch.allclose(found.columns(some), wanted[:, some])
    assert torch.allclose(found.dense(), wanted)
    question = torch.tensor([4, 0])
    assert torch.allclose(found.elements(question, some[:2]), wanted[question, some[:2]])


def test_single_numbers_of_bce_need_no_row(monkeypatch):
    scorer = scorer_of(random_graph(entities=14, relations=3, sizes=(60, 5, 6)), "complex", 0)
    monkeypatch.setattr(probabilities, "MAX_ELEMENTS", 28)
    query = torch.ones(5, scorer.options.dim, dtype=torch.float64)
    found = Predictions(scorer, query, LossSpec("bce", 0.0, True, True, 14, 3))
    monkeypatch.setattr(found, "_rows", lambda *_: pytest.fail("a row was computed"))
    wanted = (query @ scorer.entity.weight.T + scorer.bias).sigmoid() / 14
    places = torch.tensor([2, 0])
    assert torch.allclose(found.elements(places, places), wanted[places, places])
    assert torch.allclose(found.columns(places), wanted[:, places])
