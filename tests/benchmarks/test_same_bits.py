"""Artifacts that differ, or that only one run has, are counted and named."""

import pytest

from benchmarks.same_bits import compare


@pytest.mark.parametrize(
    ("usual", "other", "found"),
    [
        ({"a": "1", "b": "2"}, {"a": "1", "b": "2"}, "same bits"),
        ({"a": "1", "b": "2"}, {"a": "1", "b": "3"}, "1 differ, such as b"),
        ({"a": "1", "b": "2"}, {"c": "1"}, "3 differ, such as a"),
    ],
)
def test_what_differs_is_counted(usual, other, found):
    assert compare(usual, other) == found
