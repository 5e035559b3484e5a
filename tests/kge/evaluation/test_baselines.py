import numpy as np
import pandas as pd
import pytest

from terrarium.kge.data.graph import Graph
from terrarium.kge.data.queries import KnownAnswers
from terrarium.kge.evaluation.baselines import CountBaselines, UnknownRelationError, ancestors, compare_methods
from terrarium.kge.models.scorer import build_scorer
from tests.kge.graphs import options

UP, HAS = 0, 1
# 0 is the root of 1 and 2; 3 and 4 hang below 1, 5 and 6 below 2; 7, 8 and 9 are answers.
LINKS = [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (6, 2)]
TRAIN = np.array([(h, UP, t) for h, t in LINKS] + [(3, HAS, 7), (5, HAS, 8), (5, HAS, 9), (1, HAS, 9)])
TEST = np.array([(4, HAS, 7), (6, HAS, 8)])


def made(test=TEST):
    empty = TEST[:0]
    return Graph(10, 2, {"train": TRAIN, "validation": empty, "test": test, "test_groups": empty})


def relations(targets=(False, True), hierarchies=(True, False)):
    return pd.DataFrame({"relation": ["up", "has"], "is_target": targets, "is_hierarchy": hierarchies})


def methods(**changes):
    return compared_with(made(), relations(), **changes)


def compared_with(graph, table, splits=("validation", "test"), **changes):
    chosen = options(**changes)
    scorer = build_scorer(chosen.model, 10, 2).eval()
    return compare_methods(graph, table, scorer, KnownAnswers(graph.known_triples, 2), list(splits), chosen.evaluation)


def test_the_nearest_clade_decides_and_the_next_one_breaks_ties():
    baselines = CountBaselines.count(TRAIN, 10, HAS, UP)
    ((_, scores),) = baselines.score_by_relatives(TEST)
    assert scores[0, [7, 8, 9]].argmax() == 0  # its sibling has 7
    assert scores[1, 9] > scores[1, 8] > scores[1, 7]  # its sibling has 8 and 9; above, 9 is more frequent
    assert not scores[:, :7].any()


def test_the_majority_is_the_same_for_all():
    ((_, scores),) = CountBaselines.count(TRAIN, 10, HAS, None).score_by_majority(TEST)
    assert scores.tolist() == [[0] * 7 + [1, 1, 2]] * 2


def test_methods_are_measured_alike():
    found = methods().set_index("method")
    assert list(found.index) == ["trained", "majority", "nearest relatives"]
    assert found["queries"].tolist() == [2, 2, 2]
    assert found.loc["nearest relatives", "top_answer_accuracy"] == 0.5
    assert found.loc["majority", "top_answer_accuracy"] == 0.0
    assert found.loc["nearest relatives", "mrr"] == pytest.approx((1 + 1 / 2) / 2)
    assert found.loc["majority", "mrr"] == pytest.approx(1 / 2.5)


def test_without_one_relation_asked_about_nothing_is_compared():
    assert compared_with(made(), relations(targets=(True, True))).empty
    alone = compared_with(made(), relations(hierarchies=(False, False)))
    assert alone["method"].tolist() == ["trained", "majority"]


def test_a_relation_that_does_not_exist_is_named():
    with pytest.raises(UnknownRelationError, match="no relation 'eats'"):
        methods(evaluation__baseline={"relation": "eats", "hierarchy": None})


def test_a_hierarchy_for_no_relation_is_refused():
    several = relations(targets=(True, True))
    with pytest.raises(UnknownRelationError, match=r"hierarchy is set but no relation is compared"):
        compared_with(made(), several, evaluation__baseline={"relation": None, "hierarchy": "up"})


def test_a_right_answer_that_training_lacks_is_no_candidate():
    """Else it would be the only one left, and whoever is asked would be right."""
    untrained = Graph(10, 2, {"train": TRAIN[:6], "validation": TEST[:0], "test": TEST, "test_groups": TEST[:0]})
    assert compared_with(untrained, relations())["top_answer_accuracy"].tolist() == [0.0, 0.0, 0.0]
    test = np.array([(4, HAS, 6)])
    assert compared_with(made(test), relations()).set_index("method").loc["majority", "top_answer_accuracy"] == 0.0


def test_however_far_up_a_clade_decides_where_all_nearer_ones_are_equal():
    deep = [(i, UP, i - 1) for i in range(1, 30)]
    equal = [(29, HAS, 40), (29, HAS, 41)]
    train = np.array([*deep, *equal, (1, HAS, 40), *((50, HAS, 41) for _ in range(9))])
    ((_, scores),) = CountBaselines.count(train, 60, HAS, UP).score_by_relatives(np.array([(29, HAS, 40)]))
    assert scores[0, 40] > scores[0, 41] > 0


def test_a_cycle_ends():
    assert list(ancestors(0, {0: 1, 1: 2, 2: 0})) == [1, 2]
