import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.scenes.criticality.measures import (
    bumper_gap,
    closing_speed,
    required_deceleration,
    separation_speed,
    time_headway,
    time_to_collision,
    time_to_overlap,
)

metres = st.floats(0.5, 200.0)
speeds = st.floats(0.1, 50.0)


def one(*numbers):
    return [np.array([number], np.float64) for number in numbers]


@given(gap=metres, fast=speeds, slow=speeds)
def test_a_follower_that_brakes_as_required_just_reaches_its_leader(gap, fast, slow):
    closing = closing_speed(*one(fast, slow))
    braking = float(required_deceleration(np.array([gap]), closing)[0])
    if fast <= slow:
        assert braking == 0.0
        return
    stop = (fast - slow) / braking if braking else np.inf
    assert (fast - slow) * stop - braking * stop**2 / 2 == pytest.approx(gap)


@given(gap=metres, fast=speeds, slow=speeds)
def test_two_at_constant_speed_touch_after_the_time_to_collision_or_never(gap, fast, slow):
    time = float(time_to_collision(np.array([gap]), closing_speed(*one(fast, slow)))[0])
    if fast <= slow:
        assert time == np.inf
    else:
        assert fast * time == pytest.approx(gap + slow * time)


def test_hand_made_followers():
    # 25 m between the centres of two cars of 5 m, 20 and 10 m/s: 20 m free
    gap = bumper_gap(*one(25.0, 5.0, 5.0))
    closing = closing_speed(*one(20.0, 10.0))
    assert gap == 20.0
    assert closing == 10.0
    assert time_headway(gap, np.array([20.0])) == 1.0
    assert time_to_collision(gap, closing) == 2.0
    assert required_deceleration(gap, closing) == 2.5
    assert bumper_gap(*one(4.0, 5.0, 5.0)) == 0.0
    assert time_headway(gap, np.array([0.0])) == np.inf
    assert required_deceleration(np.array([0.0]), closing) == np.inf


@given(gap=metres, fast=speeds, slow=speeds)
def test_rectangles_one_behind_the_other_touch_at_the_time_to_collision(gap, fast, slow):
    in_lane = time_to_collision(np.array([gap]), np.array([fast - slow]))
    sizes = np.array([[[4.0, 2.0], [6.0, 2.5]]])
    in_plane = time_to_overlap(np.array([[gap + 5.0, 0.0]]), np.array([[slow - fast, 0.0]]), np.zeros((1, 2)), sizes)
    if abs(fast - slow) > 1e-9:
        assert in_plane[0] == pytest.approx(in_lane[0], rel=1e-6)


@given(
    x=st.floats(-50, 50), y=st.floats(-50, 50), vx=st.floats(-20, 20), vy=st.floats(-20, 20),
    first=st.floats(-3.2, 3.2), second=st.floats(-3.2, 3.2), turn=st.floats(-3.2, 3.2),
)  # fmt: skip
def test_the_time_does_not_depend_on_the_axes_nor_on_who_is_first(x, y, vx, vy, first, second, turn):
    place, velocity = np.array([[x, y]]), np.array([[vx, vy]])
    sizes = np.array([[[4.6, 1.9], [2.0, 0.6]]])
    time = time_to_overlap(place, velocity, np.array([[first, second]]), sizes)
    swapped = time_to_overlap(-place, -velocity, np.array([[second, first]]), sizes[:, ::-1])
    about = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    turned = time_to_overlap(place @ about, velocity @ about, np.array([[first + turn, second + turn]]), sizes)
    nearly = time_to_overlap(place, velocity, np.array([[first, second]]), sizes * (1 + 1e-6))
    assert swapped == pytest.approx(time)
    if np.isfinite(time) == np.isfinite(nearly):  # else they only just touch
        assert turned == pytest.approx(time, rel=1e-3, abs=1e-3) or np.isinf([turned[0], time[0]]).any()


def test_hand_made_crossings():
    # a car that drives north reaches the crossing of one that drives east: fronts 10 m away, 10 m/s
    sizes = np.array([[[4.0, 2.0], [4.0, 2.0]]])
    headings = np.array([[0.0, np.pi / 2]])
    place, velocity = np.array([[12.0, -12.0]]), np.array([[-10.0, 10.0]])
    # the sides of one and the front of the other overlap when |12 - 10 t| <= 3
    assert time_to_overlap(place, velocity, headings, sizes) == pytest.approx([0.9])
    assert time_to_overlap(place, np.array([[-10.0, 0.0]]), headings, sizes) == np.inf
    assert time_to_overlap(np.zeros((1, 2)), velocity, headings, sizes) == 0.0
    assert separation_speed(place, velocity) == pytest.approx([np.hypot(10, 10)])
    assert separation_speed(np.zeros((1, 2)), velocity) == 0.0
