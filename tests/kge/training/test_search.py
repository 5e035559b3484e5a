import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.kge.training.defaults import default_n3_weight
from terrarium.kge.training.search import Trial, choose_best, climb, search_n3_weight
from terrarium.kge.training.trainer import ScorerTrainer
from tests.kge.graphs import graph, options

SMALL = {
    "model__name": "complex",
    "training__train_type": "1vsAll",
    "training__loss__n3_weight": None,
    "training__max_epochs": 4,
    "training__optimizer__learning_rate": 0.05,
}


def search(**changes):
    chosen = options(**(SMALL | changes))
    return search_n3_weight(graph(), chosen.model, chosen.training, chosen.evaluation)


def trial(value, collapsed=False):
    return Trial(value, 1, 1, 1.0, collapsed)


@given(st.integers(-4, 4))
def test_a_walk_finds_the_top_of_a_hill_and_looks_at_both_sides_of_it(top):
    trials = climb(1.0, 10.0, lambda weight: trial(-abs(math.log10(weight) - top)))
    assert math.log10(choose_best(trials)) == pytest.approx(top)
    assert {round(math.log10(weight)) for weight in trials} >= {top - 1, top, top + 1}


def test_a_walk_ends_where_the_budget_does():
    left = iter(range(2))
    trials = climb(1.0, 3.0, lambda weight: trial(-weight) if next(left, None) is not None else None)
    assert list(trials) == pytest.approx([1, 1 / 3])


def test_a_collapsed_model_is_not_chosen_unless_all_are():
    assert choose_best({0.1: trial(0.9, True), 0.01: trial(0.5)}) == 0.01
    assert choose_best({0.1: trial(0.9, True), 0.01: trial(0.5, True)}) == 0.1


def test_the_search_starts_from_the_rule_and_is_the_same_again():
    table = search()
    assert table["n3_weight"].iloc[0] == pytest.approx(default_n3_weight(graph()))
    assert len(table) >= 3
    assert table.loc[table["chosen"], "value"].iloc[0] == table["value"].max()
    assert (table["epochs"] == 4).all()
    assert table.equals(search())


def test_trials_have_a_dimension_of_at_most_200(monkeypatch):
    dims = []

    class Recorded(ScorerTrainer):
        def __init__(self, graph, model, training, evaluation):
            dims.append(model.dim)
            super().__init__(graph, model, training, evaluation)

    monkeypatch.setattr("terrarium.kge.training.search.ScorerTrainer", Recorded)
    for dim in (None, 300, 12):
        search(model__dim=dim, training__max_epochs=1)
    assert set(dims) == {200, 12}


@pytest.mark.parametrize(
    ("changes", "origin"),
    [
        ({"training__loss__n3_weight": 0.3}, "given"),
        ({"training__search__max_scores": 1000.0}, "rule"),
        ({"training__max_epochs": 0}, "rule"),
    ],
)
def test_a_given_weight_and_an_unaffordable_search_take_one_row(changes, origin):
    table = search(**changes)
    assert table[["origin", "chosen"]].values.tolist() == [[origin, True]]
    expected = 0.3 if origin == "given" else default_n3_weight(graph())
    assert table["n3_weight"].tolist() == [expected]
