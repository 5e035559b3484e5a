import pytest
import torch

from terrarium.influence.gradients import probabilities
from terrarium.influence.gradients.loss_parts import LossSpec
from terrarium.influence.gradients.probabilities import Predictions
from tests.influence.autograd_reference import scorer_of
from tests.kge.graphs import random_graph


@pytest.mark.parametrize("loss", ["cross_entropy", "bce"])
@pytest.mark.parametrize("max_elements", [28, 10_000])
@pytest.mark.parametrize("scaled", [False, True])
def test_a_few_rows_at_a_time_are_all_rows(loss, max_elements, scaled, monkeypatch):
    monkeypatch.setattr(probabilities, "MAX_ELEMENTS", max_elements)
    scorer = scorer_of(random_graph(entities=14, relations=3, sizes=(60, 5, 6)), "complex", 0)
    generator = torch.Generator().manual_seed(0)
    query = torch.randn(5, scorer.options.dim, generator=generator, dtype=torch.float64)
    values = query @ scorer.entity.weight.T + scorer.bias
    smooth = 0.1 / 14
    expected = values.softmax(1) - smooth if loss == "cross_entropy" else (values.sigmoid() - smooth) / 14
    predictions = Predictions(scorer, query, LossSpec(loss, 0.1, True, True, 14, 3))
    if scaled:
        factor = torch.rand(14, generator=generator, dtype=torch.float64)
        predictions, expected = predictions.scale_entities(factor), expected * factor
    matrix = torch.randn(14, 3, generator=generator, dtype=torch.float64)
    entities = torch.tensor([3, 0, 3])
    assert torch.allclose(predictions.columns(entities), expected[:, entities])
    assert torch.allclose(predictions.matmul(matrix), expected @ matrix)
    assert torch.allclose(predictions.columns(entities), expected[:, entities])
    assert torch.allclose(predictions.dense(), expected)
    queries = torch.tensor([4, 0])
    assert torch.allclose(predictions.elements(queries, entities[:2]), expected[queries, entities[:2]])


def test_single_numbers_of_bce_need_no_row(monkeypatch):
    scorer = scorer_of(random_graph(entities=14, relations=3, sizes=(60, 5, 6)), "complex", 0)
    monkeypatch.setattr(probabilities, "MAX_ELEMENTS", 28)
    query = torch.ones(5, scorer.options.dim, dtype=torch.float64)
    predictions = Predictions(scorer, query, LossSpec("bce", 0.0, True, True, 14, 3))
    monkeypatch.setattr(predictions, "_rows", lambda *_: pytest.fail("a row was computed"))
    expected = (query @ scorer.entity.weight.T + scorer.bias).sigmoid() / 14
    entities = torch.tensor([2, 0])
    assert torch.allclose(predictions.elements(entities, entities), expected[entities, entities])
    assert torch.allclose(predictions.columns(entities), expected[:, entities])
