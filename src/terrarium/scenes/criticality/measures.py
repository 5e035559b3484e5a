"""Criticality of a pair of road users at one instant: the measures of ISO 34502 and of the literature, as functions.

All functions are element-wise on arrays of pairs. Distances are in metres, speeds in m/s, times in seconds. "Second" is
the road user ahead. Sources: Westhofen et al. 2023, "Criticality Metrics for Automated Driving" (definitions);
ISO 34502:2022, annex B (time to collision and headway as risk measures of a scenario).
"""

from __future__ import annotations

import numpy as np

from terrarium.common.arrays import Float64Array

_PARALLEL = 1e-12
"""Relative speeds along an axis below this do not close a gap in any time that matters."""


def bumper_gap(path_length: Float64Array, first_length: Float64Array, second_length: Float64Array) -> Float64Array:
    """Return the free distance between two road users in metres, at least 0.

    Args:
        path_length: distance between their centres along the lanes.
        first_length, second_length: their lengths.
    """
    return np.maximum(path_length - (first_length + second_length) / 2, 0.0)


def closing_speed(first_speed: Float64Array, second_speed: Float64Array) -> Float64Array:
    """Return how fast a follower approaches its leader in m/s, negative if it falls back: v_first - v_second."""
    return np.asarray(first_speed - second_speed, np.float64)


def time_headway(gap: Float64Array, first_speed: Float64Array) -> Float64Array:
    """Return the time until the follower's front is where the leader's rear is now, in s; infinite at standstill.

    gap / v_first (time headway, THW; measured between bumpers, so without the leader's length).
    """
    return _divide(gap, first_speed)


def time_to_collision(gap: Float64Array, closing: Float64Array) -> Float64Array:
    """Return the time until two road users touch if both keep their speed, in s; infinite if they do not approach.

    gap / closing speed (time to collision, TTC; Hayward 1972).
    """
    return _divide(gap, closing)


def required_deceleration(gap: Float64Array, closing: Float64Array) -> Float64Array:
    """Return the constant deceleration that avoids a collision with a leader of constant speed, in m/s².

    closing² / (2 gap), 0 if they do not approach, infinite if they touch (deceleration rate to avoid a crash, DRAC;
    Cooper and Ferguson 1976).
    """
    speed = np.maximum(closing, 0.0)
    return np.where(speed > 0.0, _divide(speed**2, 2.0 * gap), 0.0)


def separation_speed(position: Float64Array, velocity: Float64Array) -> Float64Array:
    """Return how fast the distance of two centres shrinks, in m/s: -(p · v) / |p|, 0 at the same place.

    Args:
        position: of the second relative to the first, in metres (n, 2).
        velocity: of the second relative to the first, in m/s (n, 2).
    """
    distance = np.linalg.norm(position, axis=1)
    approach = -(position * velocity).sum(axis=1)
    return np.where(distance > 0.0, approach / np.where(distance > 0.0, distance, 1.0), 0.0)


def time_to_overlap(
    position: Float64Array, velocity: Float64Array, headings: Float64Array, sizes: Float64Array
) -> Float64Array:
    """Return the time until two rectangles touch if both keep their velocity, in s: 0 if they do, infinite if never.

    Two rectangles overlap if their projections onto all four directions of their sides do (separating axis theorem).
    Each projection overlaps during one interval of time, and the rectangles during the intersection of the four. This
    is the time to collision in the plane (TTC with a constant velocity model, Westhofen et al. 2023).

    Args:
        position, velocity: of the second relative to the first (n, 2).
        headings: of first and second in radians (n, 2).
        sizes: length and width of first and second in metres (n, 2, 2).
    """
    ahead = np.stack([np.cos(headings), np.sin(headings)], axis=-1)
    sides = np.stack([ahead, np.stack([-ahead[..., 1], ahead[..., 0]], axis=-1)], axis=2)
    start = np.full(len(position), -np.inf)
    end = np.full(len(position), np.inf)
    for user in range(2):
        for side in range(2):
            axis = sides[:, user, side]
            reach = (np.abs(np.einsum("nusk,nk->nus", sides, axis)) * sizes / 2).sum(axis=(1, 2))
            entry, leave = _overlap_times((position * axis).sum(axis=1), (velocity * axis).sum(axis=1), reach)
            start, end = np.maximum(start, entry), np.minimum(end, leave)
    return np.where((start <= end) & (end >= 0.0), np.maximum(start, 0.0), np.inf)


def _overlap_times(offset: Float64Array, speed: Float64Array, reach: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return when |offset + speed t| <= reach begins and ends; (inf, -inf) if never, (-inf, inf) if always."""
    moves = np.abs(speed) > _PARALLEL
    safe = np.where(moves, speed, 1.0)
    first, second = (-reach - offset) / safe, (reach - offset) / safe
    is_inside = np.abs(offset) <= reach
    entry = np.where(moves, np.minimum(first, second), np.where(is_inside, -np.inf, np.inf))
    leave = np.where(moves, np.maximum(first, second), np.where(is_inside, np.inf, -np.inf))
    return entry, leave


def _divide(distance: Float64Array, speed: Float64Array) -> Float64Array:
    """Return distance / speed, infinite where the speed is not positive."""
    is_positive = speed > 0.0
    return np.where(is_positive, distance / np.where(is_positive, speed, 1.0), np.inf)
