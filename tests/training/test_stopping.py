import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.training.stopping import EarlyStopping, StoppingState


def walk(rule: EarlyStopping, values: list[float], start: StoppingState | None = None) -> list[StoppingState]:
    """The counters after every value, until the rule stops."""
    states = [start or StoppingState()]
    for epoch, value in enumerate(values, start=1):
        states.append(rule.update(states[-1], epoch, value))
        if rule.should_stop(states[-1]):
            break
    return states[1:]


@pytest.mark.parametrize(
    ("rule", "values", "epochs", "best_epoch"),
    [
        (EarlyStopping(2, 0.0), [3, 2, 2, 2, 1], 4, 2),
        (EarlyStopping(2, 0.0), [3, 2, 2, 1, 1, 1, 0], 6, 4),
        (EarlyStopping(2, 0.5), [3, 2.8, 2.6, 2.4], 3, 3),
        (EarlyStopping(2, 0.5), [3, 2.8, 2.4, 2.2, 2.0, 1], 5, 5),
        (EarlyStopping(1, 0.0, "max"), [1, 2, 3, 3, 4], 4, 3),
        (EarlyStopping(0, 0.0), [1, 2, 3, 4, 5], 5, 1),
        (EarlyStopping(2, 0.0), [float("nan"), float("nan"), 1], 3, 3),
        (EarlyStopping(2, 0.0), [float("inf"), 2, float("nan"), 3, float("nan"), 3, 1], 6, 2),
    ],
)
def test_patience(rule, values, epochs, best_epoch):
    states = walk(rule, values)
    assert len(states) == epochs
    assert states[-1].best_epoch == best_epoch


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_the_best_is_the_first_extreme(values):
    for direction, extreme in [("min", min), ("max", max)]:
        last = walk(EarlyStopping(0, 1.0, direction), values)[-1]
        assert last.best == extreme(values)
        assert last.best_epoch == values.index(last.best) + 1


@given(st.lists(st.floats(0, 1), min_size=2), st.integers(1, 4), st.floats(0, 0.2))
def test_counters_survive_json(values, patience, min_delta):
    rule = EarlyStopping(patience, min_delta)
    states = walk(rule, values)
    restored = StoppingState(**json.loads(json.dumps(states[0].as_json())))
    assert restored == states[0]
    assert [rule.update(restored, 2, v) for v in values[1:2]] == states[1:2] or rule.should_stop(states[0])


@given(st.lists(st.floats(0, 1), min_size=1), st.integers(1, 5))
def test_it_waits_exactly_the_patience(values, patience):
    states = walk(EarlyStopping(patience, 0.1), values)
    assert all(state.waited < patience for state in states[:-1])
    assert len(states) == len(values) or states[-1].waited == patience
