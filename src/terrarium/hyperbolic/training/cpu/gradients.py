"""Losses and gradients of single pairs, compiled. `training.objectives` states the same losses in PyTorch.

Gradients are kept in an orthonormal frame of the tangent space: a radial part, and an angular part that is summed in
the ambient space and projected once. With h = cosh d - 1 and S = sinh d = sqrt(h (h + 2)),

    dd/dr1 = (sinh(r1 - r2) + 1/2 cosh r1 sinh r2 |u1 - u2|^2) / S
    (1 / sinh r1) dd/du1 = - sinh r2 / S * (u2 - <u1, u2> u1).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.common.kernels import njit
from terrarium.hyperbolic.training.cpu.slots import Slots, slot_of
from terrarium.hyperbolic.training.torch.objectives import NEGLIGIBLE

MARGIN_RANKING, DISTANCE_SOFTMAX, DETOUR = range(3)
TINY = 1e-12


class Points(NamedTuple):
    """The trained points, changed in place.

    Attributes:
        radius: (N,) hyperbolic radii.
        direction: (N, d) unit rows.
        exp_radius: (N,) exp(radius).
    """

    radius: Float64Array
    direction: Float64Array
    exp_radius: Float64Array


class SparseGradient(NamedTuple):
    """The gradient of the rows that a batch touches.

    Attributes:
        angular: (C, d) angular parts by slot.
        radial: (C,) radial parts by slot.
        slots: which row has which slot.
    """

    angular: Float64Array
    radial: Float64Array
    slots: Slots


class LossSettings(NamedTuple):
    """The loss of a pair.

    Attributes:
        kind: MARGIN_RANKING, DISTANCE_SOFTMAX or DETOUR.
        margin, margin_slope: the margin is margin + margin_slope * depth difference.
        inverse_temperature: factor of detours and distances in the softmax.
        positive_weight: weight of the ancestor's own detour or distance.
    """

    kind: int
    margin: float
    margin_slope: float
    inverse_temperature: float
    positive_weight: float


class Group(NamedTuple):
    """Pairs of one descendant that share their negatives.

    Attributes:
        positives: (p,) rows of the ancestors.
        weights: (p,) weights of the pairs.
        negatives: (k,) rows.
    """

    positives: Int64Array
    weights: Float64Array
    negatives: Int64Array


class Scratch(NamedTuple):
    """Numbers of each negative of a group.

    Attributes:
        term: (k,) terms of the softmax.
        excess: (k,) cosh d - 1.
        chord: (k,) squared chords of the directions.
    """

    term: Float64Array
    excess: Float64Array
    chord: Float64Array


@njit(cache=True, inline="always", fastmath=True, error_model="numpy")
def _squared_chord(direction: Float64Array, a: int, b: int) -> float:  # pragma: no cover - compiled
    total = 0.0
    for i in range(direction.shape[1]):
        difference = direction[a, i] - direction[b, i]
        total += difference * difference
    return total


@njit(cache=True, inline="always", error_model="numpy")
def _excess(exp1: float, exp2: float, chord: float) -> float:  # pragma: no cover - compiled
    """Return cosh d - 1 from exp(r1), exp(r2) and the squared chord."""
    half = 0.125 * (exp1 - 1.0 / exp1) * (exp2 - 1.0 / exp2)
    ratio = exp1 / exp2
    return (ratio - 1.0) * (ratio - 1.0) / (2.0 * ratio) + half * chord


@njit(cache=True, fastmath=True, error_model="numpy")
def add_distance_gradient(
    points: Points,
    gradient: SparseGradient,
    rows: tuple[int, int],
    slots: tuple[int, int],
    h: float,
    chord: float,
    scale: float,
) -> None:  # pragma: no cover - compiled
    """Add scale * dd(a, b) to the gradients of two rows a and b in their slots."""
    direction, exponential = points.direction, points.exp_radius
    angular, radial = gradient.angular, gradient.radial
    a, b = rows
    slot_a, slot_b = slots
    sinh_d = max(np.sqrt(h * (h + 2.0)), TINY)
    ea, eb = exponential[a], exponential[b]
    sa, sb = 0.5 * (ea - 1.0 / ea), 0.5 * (eb - 1.0 / eb)
    ratio = ea / eb
    sinh_difference = 0.5 * (ratio - 1.0 / ratio)
    f = scale / sinh_d
    radial[slot_a] += f * (sinh_difference + 0.5 * (sa + 1.0 / ea) * sb * chord)
    radial[slot_b] += f * (-sinh_difference + 0.5 * (sb + 1.0 / eb) * sa * chord)
    fa, fb = -f * sb, -f * sa
    for i in range(direction.shape[1]):
        angular[slot_a, i] += fa * direction[b, i]
        angular[slot_b, i] += fb * direction[a, i]


@njit(cache=True, fastmath=True, error_model="numpy")
def margin_ranking_pair(
    points: Points,
    gradient: SparseGradient,
    anchor: int,
    positive: int,
    negatives: Int64Array,
    margin: float,
    weight: float,
) -> float:  # pragma: no cover - compiled
    """Return weight * mean_j max(0, d(anchor, positive) - d(anchor, n_j) + margin); its gradient is added.

    Args:
        points, gradient: see their classes.
        anchor, positive: rows of the ancestor and the descendant.
        negatives: (k,) rows.
        margin: hyperbolic distance.
        weight: of the pair.
    """
    direction, exponential = points.direction, points.exp_radius
    chord_p = _squared_chord(direction, anchor, positive)
    h_p = _excess(exponential[anchor], exponential[positive], chord_p)
    d_p = np.log1p(h_p + np.sqrt(h_p * (h_p + 2.0)))
    limit = np.exp(d_p + margin)
    share = weight / len(negatives)
    loss, active = 0.0, 0
    for j in range(len(negatives)):
        n = negatives[j]
        chord = _squared_chord(direction, anchor, n)
        h = _excess(exponential[anchor], exponential[n], chord)
        e = 1.0 + h + np.sqrt(h * (h + 2.0))
        if e < limit:
            loss += d_p + margin - np.log(e)
            # legacy samplers may draw the positive, whose two gradients cancel, or the anchor itself
            if n == positive:
                continue
            active += 1
            if n != anchor:
                pair = slot_of(anchor, gradient.slots), slot_of(n, gradient.slots)
                add_distance_gradient(points, gradient, (anchor, n), pair, h, chord, -share)
    if active:
        pair = slot_of(anchor, gradient.slots), slot_of(positive, gradient.slots)
        add_distance_gradient(points, gradient, (anchor, positive), pair, h_p, chord_p, share * active)
    return loss * share


@njit(cache=True, inline="always", error_model="numpy")
def _exp_cost(
    points: Points, anchor: int, v: int, with_radius: bool
) -> tuple[float, float, float]:  # pragma: no cover - compiled
    """Return exp of the cost, d or d + r_v; cosh d - 1; the squared chord."""
    chord = _squared_chord(points.direction, anchor, v)
    h = _excess(points.exp_radius[anchor], points.exp_radius[v], chord)
    e = 1.0 + h + np.sqrt(h * (h + 2.0))
    return (e * points.exp_radius[v] if with_radius else e), h, chord


@njit(cache=True, fastmath=True, error_model="numpy")
def _score_negatives(
    points: Points, anchor: int, negatives: Int64Array, scratch: Scratch, inverse_temperature: float, with_radius: bool
) -> tuple[float, float]:  # pragma: no cover - compiled
    """Fill scratch; return the smallest log cost and the sum of the terms.

    Terms are relative to the cheapest negative, whose term is 1. A term below NEGLIGIBLE is set to 0 without a power.
    """
    term, excess, chords = scratch.term, scratch.excess, scratch.chord
    least = np.inf
    for j in range(len(negatives)):
        term[j], excess[j], chords[j] = _exp_cost(points, anchor, negatives[j], with_radius)
        least = min(least, term[j])
    cut = NEGLIGIBLE ** (1.0 / inverse_temperature)
    total = 0.0
    for j in range(len(negatives)):
        ratio = least / term[j]
        term[j] = np.exp(inverse_temperature * np.log(ratio)) if ratio > cut else 0.0
        total += term[j]
    return np.log(least), total


@njit(cache=True, fastmath=True, error_model="numpy")
def softmax_group(
    points: Points, gradient: SparseGradient, anchor: int, group: Group, scratch: Scratch, loss: LossSettings
) -> float:  # pragma: no cover - compiled
    """Return the sum over a group of weight * loss; its gradient is added.

    The loss of a positive is -log softmax of it among the negatives, with costs d / T, or (d + r) / T for DETOUR, plus
    positive_weight times its own d or detour.

    Args:
        points, gradient, group, scratch, loss: see their classes.
        anchor: row of the descendant.
    """
    inverse_temperature, positive_weight = loss.inverse_temperature, loss.positive_weight
    with_radius = loss.kind == DETOUR
    radial = gradient.radial
    weights, negatives = group.weights, group.negatives
    least, total = _score_negatives(points, anchor, negatives, scratch, inverse_temperature, with_radius)
    log_total = np.log(total)
    own = np.log(points.exp_radius[anchor]) if with_radius else 0.0
    value, pushing = 0.0, 0.0
    for i in range(len(group.positives)):
        v = group.positives[i]
        e, h, chord = _exp_cost(points, anchor, v, with_radius)
        cost = np.log(e)
        behind = inverse_temperature * (cost - least) + log_total
        # log(1 + exp(behind)) without overflow; its derivative is the share of the negatives
        tail = np.exp(-abs(behind))
        value += weights[i] * (max(behind, 0.0) + np.log1p(tail) + positive_weight * (cost - own))
        share = 1.0 / (1.0 + tail) if behind > 0.0 else tail / (1.0 + tail)
        if share < NEGLIGIBLE:
            share = 0.0
        pushing += weights[i] * share
        scale = weights[i] * (inverse_temperature * share + positive_weight)
        if scale == 0.0:
            continue
        pair = slot_of(anchor, gradient.slots), slot_of(v, gradient.slots)
        add_distance_gradient(points, gradient, (anchor, v), pair, h, chord, scale)
        if with_radius:
            radial[pair[1]] += scale
            radial[pair[0]] -= weights[i] * positive_weight
    if pushing == 0.0:
        return value
    for j in range(len(negatives)):
        if scratch.term[j] < NEGLIGIBLE * total:
            continue
        v = negatives[j]
        scale = -inverse_temperature * pushing * scratch.term[j] / total
        pair = slot_of(anchor, gradient.slots), slot_of(v, gradient.slots)
        add_distance_gradient(points, gradient, (anchor, v), pair, scratch.excess[j], scratch.chord[j], scale)
        if with_radius:
            radial[pair[1]] += scale
    return value


@njit(cache=True, fastmath=True, error_model="numpy")
def distance_terms(points: Points, a: int, b: int) -> tuple[float, float, float]:  # pragma: no cover - compiled
    """Return cosh d - 1 of two rows, the squared chord of their directions, and d."""
    chord = _squared_chord(points.direction, a, b)
    h = _excess(points.exp_radius[a], points.exp_radius[b], chord)
    return h, chord, np.log1p(h + np.sqrt(h * (h + 2.0)))


@njit(cache=True, fastmath=True, error_model="numpy")
def add_radius_penalty(
    rows: Int64Array, radius: Float64Array, target: Float64Array, radial: Float64Array, weight: float
) -> float:  # pragma: no cover - compiled
    """Return weight * mean over the rows of (radius - target)^2, and add its gradient to `radial`.

    Args:
        rows: (c,) rows of the batch; their places are its slots.
        radius, target: (N,) hyperbolic radii and their targets.
        radial: (c,) gradients by the radii, by slot.
        weight: factor of the penalty.
    """
    total = 0.0
    for s in range(len(rows)):
        off = radius[rows[s]] - target[rows[s]]
        total += off * off
        radial[s] += 2.0 * weight * off / len(rows)
    return weight * total / max(len(rows), 1)
