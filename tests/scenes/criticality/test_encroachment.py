import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.scenes.criticality.encroachment import area_reach, find_crossing, measure_encroachments

TIMES = np.arange(0.0, 12.01, 0.5)


def tracks(*users, start=0.0):
    """Road users on straight lines: name, x, y, direction in radians and speed."""
    rows = [
        pd.DataFrame(
            {
                "source": "s", "scene": "s/1", "actor": name, "time_s": TIMES + start,
                "x_m": x + speed * np.cos(angle) * TIMES, "y_m": y + speed * np.sin(angle) * TIMES,
                "length_m": 4.0, "width_m": 2.0,
            }
        )
        for name, x, y, angle, speed in users
    ]  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def test_a_hand_made_crossing():
    # a drives east through the origin at 2.5 s, b north at 5 s; the area is 1 m to each side of the paths.
    # a's rear leaves it 3 m behind the origin at 2.8 s, b's front enters it 3 m before at 4.7 s
    found = measure_encroachments(tracks(("a", -25.0, 0.0, 0.0, 10.0), ("b", 0.0, -50.0, np.pi / 2, 10.0), start=7.0))
    assert found[["first", "second"]].to_numpy().tolist() == [["a", "b"]]
    assert found[["left_s", "entered_s", "post_encroachment_time_s"]].to_numpy()[0] == pytest.approx([2.8, 4.7, 1.9])


@given(delay=st.floats(0.0, 4.0), angle=st.floats(0.6, 2.5), speed=st.floats(6.0, 15.0))
def test_who_is_later_by_a_time_has_a_larger_time_by_it(delay, angle, speed):
    def second(later):
        away = speed * (4.0 + later)
        return ("b", -away * np.cos(angle), -away * np.sin(angle), angle, speed)

    at_once, later = (
        measure_encroachments(tracks(("a", -20.0, 0.0, 0.0, 10.0), second(extra)))["post_encroachment_time_s"][0]
        for extra in (0.0, delay)
    )
    assert later == pytest.approx(at_once + delay, abs=1e-6) or at_once == 0.0


def test_paths_that_follow_oppose_or_miss_each_other_have_no_time():
    others = [("b", -40.0, 0.0, 0.0, 10.0), ("c", 60.0, 3.0, np.pi, 10.0), ("d", 0.0, 5.0, np.pi / 2, 3.0)]
    standing = ("e", 10.0, 0.0, 0.0, 0.0)
    found = measure_encroachments(tracks(("a", -25.0, 0.0, 0.0, 10.0), standing, *others[:2]))
    assert found.empty
    assert measure_encroachments(tracks(("a", -25.0, 0.0, 0.0, 10.0), others[2])).empty
    assert found.columns.tolist()[:4] == ["source", "scene", "first", "second"]


def test_both_in_the_area_at_once_gives_zero():
    found = measure_encroachments(tracks(("a", -25.0, 0.0, 0.0, 10.0), ("b", 0.0, -25.0, np.pi / 2, 10.0)))
    assert found["post_encroachment_time_s"].tolist() == [0.0]


@given(angle=st.floats(0.6, 2.5), own=st.floats(0.5, 3.0), other=st.floats(0.5, 3.0))
def test_the_area_reaches_as_far_as_the_corners_of_the_two_strips(angle, own, other):
    # corners of the parallelogram: where the sides of both strips meet, at distance own / 2 and other / 2
    corners = [
        np.linalg.solve([[0.0, 1.0], [np.sin(angle), -np.cos(angle)]], [a * own / 2, b * other / 2])[0]
        for a in (-1, 1)
        for b in (-1, 1)
    ]
    assert area_reach(own, other, angle) == pytest.approx(max(corners))


def test_the_first_crossing_along_the_first_path_counts():
    zigzag = np.array([[0.0, -1.0], [2.0, 1.0], [4.0, -1.0]])
    line = np.array([[-1.0, 0.0], [5.0, 0.0]])
    found = find_crossing(zigzag, np.array([0.0, 8**0.5, 2 * 8**0.5]), line, np.array([0.0, 6.0]))
    assert found == pytest.approx((2**0.5, 2.0, np.pi / 4))
    assert find_crossing(line, np.array([0.0, 6.0]), line + np.array([0.0, 5.0]), np.array([0.0, 6.0])) is None
