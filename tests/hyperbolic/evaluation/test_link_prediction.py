import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.hyperbolic.data.build import closure_table
from terrarium.hyperbolic.data.holdout import split_links
from terrarium.hyperbolic.evaluation.link_prediction import CLOSURE_RULE, classify, link_metrics, link_table
from terrarium.hyperbolic.layouts.combinatorial import construct
from tests.hyperbolic.trees import random_dag, random_layout, random_tree


@given(st.integers(0, 300))
def test_the_threshold_is_the_best_of_the_validation(seed):
    rng = np.random.default_rng(seed)
    true = np.concatenate([[True, False], rng.random(20) < 0.3])
    score = rng.normal(size=22).round(1) - true
    found = classify(score, true, score, true)

    def f1(limit):
        hits = (score <= limit) & true
        return 2 * hits.sum() / ((score <= limit).sum() + true.sum())

    best = max(f1(limit) for limit in score)
    assert found["f1"] == pytest.approx(best)
    assert found["validation_f1"] == pytest.approx(best)
    assert f1(found["threshold"]) == pytest.approx(best)


def test_the_threshold_comes_from_the_validation_alone():
    found = classify(np.array([0.0, 1.0]), np.array([True, False]), np.array([0.5, 0.7]), np.array([True, True]))
    assert found["threshold"] == 0.0
    assert found["validation_f1"] == 1.0
    assert found["f1"] == 0.0


@pytest.mark.parametrize("make", [random_tree, random_dag])
def test_detour_tells_the_links_of_a_construction_and_the_closure_all(make):
    tree = make(np.random.default_rng(0), 300)
    split = split_links(tree, link_fraction=0.1, train_fraction=0.0, num_corruptions=5, seed=0)
    reduction = closure_table(tree).iloc[split.reduction]
    layouts = {"constructed": construct(tree, 8, 30.0), "random": random_layout(np.random.default_rng(1), 300, 8)}
    table = link_table(tree, layouts, reduction, split.validation, split.test).set_index(["layout", "score"])
    assert table.loc[(CLOSURE_RULE, ""), "f1"] == 1.0
    assert table.loc[("constructed", "detour"), "f1"] > (0.99 if tree.is_tree else 0.5)
    assert table.loc[("random", "detour"), "f1"] < 0.5
    assert link_metrics(table.reset_index(), "constructed").keys() >= {"link_f1_detour", "link_threshold_distance"}
