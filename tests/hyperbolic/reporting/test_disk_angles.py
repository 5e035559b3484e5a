"""The circular order of directions, and what a picture keeps."""

import numpy as np
import pytest

from terrarium.hyperbolic.layouts.initial import random_directions
from terrarium.hyperbolic.reporting.disk_angles import circular_order, faithfulness


def test_like_directions_stand_side_by_side():
    rng = np.random.default_rng(0)
    centre = np.repeat(np.eye(6), 40, axis=0)
    direction = centre + 0.05 * rng.normal(size=centre.shape)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    shuffle = rng.permutation(len(direction))
    angle = circular_order(direction[shuffle])
    group = (np.repeat(np.arange(6), 40)[shuffle])[np.argsort(angle)]
    assert (group != np.roll(group, 1)).sum() == 6
    assert ((angle >= 0.0) & (angle < 2.0 * np.pi)).all()


def test_taxa_beyond_the_landmarks_stand_at_their_nearest():
    direction = random_directions(300, 3, 0)
    angle = circular_order(direction, landmarks=50)
    assert len(np.unique(angle)) > 250


@pytest.mark.parametrize("direction", [np.eye(2)[[0, 0, 0]], np.eye(2)[[0, 1, 0]], np.array([[1.0, 0.0], [-1.0, 0.0]])])
def test_hardly_any_directions(direction):
    angle = circular_order(direction)
    assert np.isfinite(angle).all()
    assert len(np.unique(angle)) <= 2


def test_a_plane_is_kept_wholly_and_chance_is_not():
    rng = np.random.default_rng(0)
    angle, radius = rng.uniform(0.0, 2.0 * np.pi, 200), rng.uniform(0.5, 4.0, 200)
    flat = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert faithfulness(flat, radius, angle) == pytest.approx((1.0, 1.0))
    near, far = faithfulness(random_directions(200, 10, 1), np.full(200, 3.0), angle)
    assert near < 0.2
    assert abs(far) < 0.2


def test_faithfulness_of_a_point_is_undefined():
    assert np.isnan(faithfulness(np.eye(2)[:1], np.ones(1), np.zeros(1))).all()
    assert np.isnan(faithfulness(np.eye(2)[[0, 0, 0]], np.zeros(3), np.zeros(3))).all()
