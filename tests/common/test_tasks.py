import logging

from hypothesis import given
from hypothesis import strategies as st

from terrarium.common.tasks import map_tasks


def power(exponent: int, base: int) -> int:
    return base**exponent


@given(st.lists(st.integers(-50, 50)), st.integers(0, 4))
def test_without_a_cluster_the_items_are_done_here_in_their_order(bases, exponent):
    assert map_tasks(power, exponent, bases, "Powers") == [base**exponent for base in bases]


def test_the_log_counts_the_results(caplog):
    with caplog.at_level(logging.INFO):
        map_tasks(power, 2, [1, 2], "Powers")
    assert caplog.messages == ["Powers: 1 of 2", "Powers: 2 of 2"]
