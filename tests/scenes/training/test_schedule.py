import pytest

from terrarium.scenes.training.schedule import cycle_of, learning_rate, warmup_factor
from tests.scenes.scenery import options


def schedule(**changes):
    return options("local").training.schedule.model_copy(update=changes)


RECIPE = {
    "warm_restarts": True,
    "warmup_epochs": 3,
    "min_lr_ratio": 0.1,
    "restart_decay": 0.85,
}


def test_restarts_are_those_recorded_in_eight_epochs():
    """As recorded of graph_embedding_v2: three epochs of warm-up, cycles of four, decay 0.85."""
    given = schedule(**RECIPE, cycle_epochs=4)
    rates = [learning_rate(0.0015, given, epoch, 1.0, 60) for epoch in range(1, 9)]
    wanted = [0.0005, 0.0010, 0.0015, 0.0015, 0.001275, 0.001107, 0.000701, 0.000296]
    assert rates == pytest.approx(wanted, abs=5e-7)
    assert [warmup_factor(given, epoch) for epoch in (1, 2, 3, 4)] == pytest.approx([1 / 3, 2 / 3, 1, 1])
    assert cycle_of(given, 6) == (2, 2)


def test_without_cosine_a_cycle_keeps_its_rate():
    given = schedule(**RECIPE, cycle_epochs=10).model_copy(update={"cosine": False, "warmup_epochs": 0})
    assert learning_rate(0.0015, given, 10, 1.0, 60) == 0.0015
    assert learning_rate(0.0015, given, 11, 1.0, 60) == pytest.approx(0.001275)


def test_the_rate_warms_up_and_falls_to_its_minimum():
    given = schedule(warmup_epochs=2, min_lr_ratio=0.1)
    assert learning_rate(0.01, given, 1, 0.5, 10) == pytest.approx(0.0025)
    assert learning_rate(0.01, given, 2, 1.0, 10) == pytest.approx(0.01)
    assert learning_rate(0.01, given, 10, 1.0, 10) == pytest.approx(0.001)
    falling = [learning_rate(0.01, given, epoch, share, 10) for epoch in range(3, 11) for share in (0.25, 0.5, 1.0)]
    assert falling == sorted(falling, reverse=True)
    assert learning_rate(0.01, given.model_copy(update={"cosine": False}), 9, 0.5, 10) == 0.01
