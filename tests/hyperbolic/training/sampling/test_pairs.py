import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from terrarium.hyperbolic.options import Phase
from terrarium.hyperbolic.training.problem import margin_coefficients, uncounted_epochs
from terrarium.hyperbolic.training.sampling import pairs
from terrarium.hyperbolic.training.schedule import LearningRateSchedule
from tests.hyperbolic.training.problems import order_of, problem
from tests.hyperbolic.trees import trees


def limits(curriculum, epochs, deepest):
    stages = pairs.curriculum_phases(curriculum, epochs, deepest)
    return [pairs.max_difference(stages, epoch) for epoch in range(1, epochs + 1)]


def test_the_documents_phases():
    phases = [Phase(epoch=1, max_difference=1), Phase(epoch=20, max_difference=3), Phase(epoch=50, max_difference=None)]
    assert limits(phases, 60, 38) == [1] * 19 + [3] * 30 + [None] * 11
    assert limits([], 3, 38) == [None] * 3


def test_the_automatic_phases_follow_epochs_and_depth():
    found = limits("auto", 100, 38)
    assert found == [1] * 19 + [9] * 20 + [19] * 20 + [None] * 41
    assert limits("auto", 1, 2) == [None]


@pytest.mark.parametrize("starts", [[2], [1, 1], [1, 5, 3]])
def test_phases_that_do_not_rise_from_epoch_1_are_refused(starts):
    with pytest.raises(ValidationError, match="must begin with epoch 1 and rise"):
        problem(curriculum=[{"epoch": epoch, "max_difference": 2} for epoch in starts])


@settings(max_examples=40)
@given(trees(), st.floats(0.01, 1.0), st.integers(0, 99))
def test_a_fraction_takes_its_part_of_each_difference_once(tree, share, seed):
    _, _, difference = tree.closure()
    positions = np.flatnonzero(difference != 2)
    if not len(positions):
        return
    got = pairs.sample_stratified(difference, positions, share, np.random.default_rng(seed))
    assert len(set(got.tolist())) == len(got)
    assert set(got.tolist()) <= set(positions.tolist())
    for level, size in zip(*np.unique(difference[positions], return_counts=True), strict=True):
        assert (difference[got] == level).sum() == max(1, int(share * size))


@settings(max_examples=40)
@given(trees(), st.integers(0, 99))
def test_balanced_epochs_have_as_many_pairs_of_each_class(tree, seed):
    _, descendant, _ = tree.closure()
    classes = pairs.class_numbers(tree, descendant)
    positions = np.arange(len(descendant))
    got = pairs.sample_balanced(classes, positions, np.random.default_rng(seed))
    present = np.unique(classes)
    counts = np.bincount(classes[got], minlength=len(present))
    assert (counts == len(positions) // len(present)).all()
    for number in present:
        own = got[classes[got] == number]
        if (classes == number).sum() >= len(own):
            assert len(set(own.tolist())) == len(own)


@given(trees())
def test_the_class_is_the_ancestor_at_depth_1(tree):
    tops = np.flatnonzero(tree.depth == 1)
    for row in range(1, len(tree)):
        line = [row, *tree.ancestors(row).tolist()]
        assert tops[pairs.class_numbers(tree, row)] == line[-2]


@given(trees())
def test_class_weights_are_the_documents(tree):
    rows = np.arange(1, len(tree))
    classes = pairs.class_numbers(tree, rows)
    sizes = {number: int((classes == number).sum()) for number in set(classes.tolist())}
    expected = [min(np.sqrt(max(sizes.values()) / sizes[number]), 10.0) for number in classes.tolist()]
    assert np.allclose(pairs.class_weights(tree, rows), expected)


def test_the_order_of_an_epoch_obeys_the_options():
    whole = problem()
    assert sorted(order_of(whole, 1)) == list(range(len(whole.ancestor)))
    assert (order_of(whole, 1) != order_of(whole, 2)).any()
    parents = problem(pairs="parent_child")
    assert sorted(order_of(parents, 1)) == np.flatnonzero(parents.difference == 1).tolist()
    staged = problem(curriculum=[{"epoch": 1, "max_difference": 1}, {"epoch": 3, "max_difference": None}])
    assert (staged.difference[order_of(staged, 2)] == 1).all()
    assert len(order_of(staged, 3)) == len(staged.ancestor)
    part = problem(epoch_fraction=0.25)
    assert len(order_of(part, 1)) < 0.3 * len(part.ancestor)
    assert set(order_of(part, 1).tolist()) != set(order_of(part, 2).tolist())
    both = problem(curriculum=[{"epoch": 1, "max_difference": 2}], epoch_fraction=0.5, class_balanced=True)
    chosen = order_of(both, 1)
    assert (both.difference[chosen] <= 2).all()
    counts = np.bincount(pairs.class_numbers(both.tree, both.descendant[chosen]))
    assert (counts[counts > 0] == counts.max()).all()


def test_margins_grow_with_the_difference():
    graded = problem(loss="margin_ranking", depth_margin={"min": 0.05, "max": 1.0})
    base, slope = margin_coefficients(graded)
    assert base == 0.05
    assert base + slope * graded.tree.max_depth == pytest.approx(1.0)
    assert margin_coefficients(problem(margin=0.3)) == (0.3, 0.0)


def test_burn_in_lowers_the_rate_of_the_first_epochs_which_do_not_count():
    burnt = problem(burn_in_epochs=2, burn_in_factor=0.1, learning_rate=0.02, final_learning_rate=0.02)
    assert [LearningRateSchedule(burnt.options).rate(epoch) for epoch in (1, 2, 3)] == pytest.approx(
        [0.002, 0.002, 0.02]
    )
    assert uncounted_epochs(burnt) == 2
    phases = [{"epoch": 1, "max_difference": 1}, {"epoch": 4, "max_difference": None}]
    assert uncounted_epochs(problem(curriculum=phases, burn_in_epochs=2)) == 3
    assert uncounted_epochs(problem()) == 0
