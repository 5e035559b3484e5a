import numpy as np
import pandas as pd
import pytest

from terrarium.pipelines.knowledge_graph.baselines import Guesser, UnknownRelationError, compare, lineage
from terrarium.pipelines.knowledge_graph.graph import Graph
from terrarium.pipelines.knowledge_graph.scorer import build_scorer

from .graphs import options

UP, HAS = 0, 1
# 0 is the root of 1 and 2; 3 and 4 hang below 1, 5 and 6 below 2; 7, 8 and 9 are answers.
LINKS = [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (6, 2)]
TRAIN = np.array([(h, UP, t) for h, t in LINKS] + [(3, HAS, 7), (5, HAS, 8), (5, HAS, 9), (1, HAS, 9)])
TEST = np.array([(4, HAS, 7), (6, HAS, 8)])


def made(test=TEST):
    empty = TEST[:0]
    return Graph(10, 2, {"train": TRAIN, "valid": empty, "test": test, "test_groups": empty})


def relations(asked=(False, True), hierarchy=(True, False)):
    return pd.DataFrame({"relation": ["up", "has"], "asked": asked, "hierarchy": hierarchy})


def methods(**changes):
    chosen = options(**changes)
    return compare(made(), relations(), build_scorer(chosen.model, 10, 2).eval(), ["valid", "test"], chosen.evaluation)


def test_the_nearest_clade_decides_and_the_next_one_breaks_ties():
    guesser = Guesser.of(TRAIN, 10, HAS, UP)
    ((_, scores),) = guesser.by_relatives(TEST)
    assert scores[0, [7, 8, 9]].argmax() == 0  # its sibling has 7
    assert scores[1, 9] > scores[1, 8] > scores[1, 7]  # its sibling has 8 and 9; above, 9 is more frequent
    assert not scores[:, :7].any()


def test_the_majority_is_the_same_for_all():
    ((_, scores),) = Guesser.of(TRAIN, 10, HAS, None).by_majority(TEST)
    assert scores.tolist() == [[0] * 7 + [1, 1, 2]] * 2


def test_methods_are_measured_alike():
    found = methods().set_index("method")
    assert list(found.index) == ["trained", "majority", "nearest relatives"]
    assert found["questions"].tolist() == [2, 2, 2]
    assert found.loc["nearest relatives", "top_answer_accuracy"] == 0.5
    assert found.loc["majority", "top_answer_accuracy"] == 0.0
    assert found.loc["nearest relatives", "mrr"] == pytest.approx((1 + 1 / 2) / 2)
    assert found.loc["majority", "mrr"] == pytest.approx(1 / 2.5)


def test_without_one_relation_asked_about_nothing_is_compared():
    chosen = options()
    model = build_scorer(chosen.model, 10, 2).eval()
    assert compare(made(), relations(asked=(True, True)), model, ["test"], chosen.evaluation).empty
    alone = compare(made(), relations(hierarchy=(False, False)), model, ["test"], chosen.evaluation)
    assert alone["method"].tolist() == ["trained", "majority"]


def test_a_relation_that_does_not_exist_is_named():
    with pytest.raises(UnknownRelationError, match="no relation 'eats'"):
        methods(evaluation__baseline={"relation": "eats", "hierarchy": None})


def test_a_cycle_ends():
    assert list(lineage(0, {0: 1, 1: 2, 2: 0})) == [1, 2]
