"""One epoch of mini-batch training on the CPU, compiled.

Per batch: the gradient of the objective at the frozen table, summed per touched row, then one Riemannian step of the
touched rows. Work and memory grow with the batch, not with the table. One thread, one order: the same seed gives the
same bits. `terrarium.hyperbolic.training.objectives` states the same objective in PyTorch; the tests hold the two
together.

Gradients are kept in an orthonormal frame of the tangent space: a radial part, and an angular part that is summed in
the ambient space and projected once, since with h = cosh d - 1 and S = sinh d = sqrt(h (h + 2))

    dd/dr1 = (sinh(r1 - r2) + 1/2 cosh r1 sinh r2 |u1 - u2|^2) / S
    (1 / sinh r1) dd/du1 = - sinh r2 / S * (u2 - <u1, u2> u1).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from terrarium.hyperbolic.legacy.negatives import negatives_for_ranking
from terrarium.hyperbolic.training.negatives import negatives_near, negatives_not_above
from terrarium.hyperbolic.training.objectives import NEGLIGIBLE

RANKING, CLOSURE, SLACK = 0, 1, 2
NOT_ABOVE = -1
ADAM_BETA1, ADAM_BETA2, ADAM_EPS = 0.9, 0.999, 1e-8
_TINY = 1e-12


@njit(cache=True, inline="always", fastmath=True, error_model="numpy")
def _chord(direction: Any, a: int, b: int) -> float:  # pragma: no cover - compiled
    total = 0.0
    for i in range(direction.shape[1]):
        difference = direction[a, i] - direction[b, i]
        total += difference * difference
    return total


@njit(cache=True, inline="always", error_model="numpy")
def _excess(exp1: float, exp2: float, chord: float) -> tuple[float, float]:  # pragma: no cover - compiled
    """cosh d - 1 and 1/2 sinh r1 sinh r2 from exp(r1), exp(r2)."""
    half = 0.125 * (exp1 - 1.0 / exp1) * (exp2 - 1.0 / exp2)
    ratio = exp1 / exp2
    return (ratio - 1.0) * (ratio - 1.0) / (2.0 * ratio) + half * chord, half


@njit(cache=True, fastmath=True, error_model="numpy")
def _add_distance_gradient(
    table: Any, gradient: Any, a: int, b: int, slot_a: int, slot_b: int, h: float, chord: float, scale: float
) -> None:  # pragma: no cover - compiled
    """Add scale * dd(a, b) to the gradients of both rows."""
    direction, exponential = table
    angular, radial = gradient
    sinh_d = max(np.sqrt(h * (h + 2.0)), _TINY)
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


@njit(cache=True, inline="always")
def _slot(row: int, slots: Any) -> int:  # pragma: no cover - compiled
    """Place of a row in the batch's gradient; a new one if the row was not touched yet."""
    stamp, place, touched, count = slots
    if stamp[row] != count[1]:
        stamp[row] = count[1]
        place[row] = count[0]
        touched[count[0]] = row
        count[0] += 1
    return place[row]


@njit(cache=True, fastmath=True, error_model="numpy")
def ranking_pair(
    table: Any, gradient: Any, slots: Any, anchor: int, positive: int, negatives: Any, margin: float, weight: float
) -> float:  # pragma: no cover - compiled
    """mean_j max(0, d(anchor, positive) - d(anchor, n_j) + margin), times weight; gradients are added."""
    direction, exponential = table
    chord_p = _chord(direction, anchor, positive)
    h_p, _ = _excess(exponential[anchor], exponential[positive], chord_p)
    d_p = np.log1p(h_p + np.sqrt(h_p * (h_p + 2.0)))
    limit = np.exp(d_p + margin)
    share = weight / len(negatives)
    loss, active = 0.0, 0
    for j in range(len(negatives)):
        n = negatives[j]
        chord = _chord(direction, anchor, n)
        h, _ = _excess(exponential[anchor], exponential[n], chord)
        e = 1.0 + h + np.sqrt(h * (h + 2.0))
        if e < limit:
            loss += d_p + margin - np.log(e)
            # samplers of older recipes may draw the positive, whose pull and push cancel, or the anchor itself
            if n == positive:
                continue
            active += 1
            if n != anchor:
                slot_a = _slot(anchor, slots)
                _add_distance_gradient(table, gradient, anchor, n, slot_a, _slot(n, slots), h, chord, -share)
    if active:
        slot_a, slot_p = _slot(anchor, slots), _slot(positive, slots)
        _add_distance_gradient(table, gradient, anchor, positive, slot_a, slot_p, h_p, chord_p, share * active)
    return loss * share


@njit(cache=True, inline="always", error_model="numpy")
def _exp_score(
    table: Any, anchor: int, v: int, with_radius: bool
) -> tuple[float, float, float]:  # pragma: no cover - compiled
    """exp of the score's cost, d or d + r_v; cosh d - 1; squared chord."""
    direction, exponential = table
    chord = _chord(direction, anchor, v)
    h, _ = _excess(exponential[anchor], exponential[v], chord)
    e = 1.0 + h + np.sqrt(h * (h + 2.0))
    return (e * exponential[v] if with_radius else e), h, chord


@njit(cache=True, fastmath=True, error_model="numpy")
def _score_negatives(
    table: Any, anchor: int, negatives: Any, scratch: Any, inverse_temperature: float, with_radius: bool
) -> tuple[float, float]:  # pragma: no cover - compiled
    """Fill scratch with (share times total, cosh d - 1, squared chord); returns the least log cost and the total.

    Costs are taken over the least one, whose term is 1, so that a term below NEGLIGIBLE can be told from the ratio
    alone: it is set to 0 without a power.
    """
    term, excess, chords = scratch
    least = np.inf
    for j in range(len(negatives)):
        term[j], excess[j], chords[j] = _exp_score(table, anchor, negatives[j], with_radius)
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
    table: Any,
    gradient: Any,
    slots: Any,
    anchor: int,
    group: Any,
    scratch: Any,
    inverse_temperature: float,
    pull: float,
    with_radius: bool,
) -> float:  # pragma: no cover - compiled
    """Pairs of one anchor that share their negatives: sum of weight times loss; gradients are added.

    Loss of a positive: -log softmax of it among the negatives, cost T d or T (d + r), plus pull times its d or slack.

    Args:
        table, gradient, slots, scratch: see `epoch`.
        anchor: row of the descendant.
        group: rows of the positives, their weights, rows of the negatives.
        inverse_temperature, pull: see above.
        with_radius: whether the radius of a candidate adds to its cost.
    """
    positives, weights, negatives = group
    _, exponential = table
    _, radial = gradient
    least, total = _score_negatives(table, anchor, negatives, scratch, inverse_temperature, with_radius)
    log_total = np.log(total)
    own = np.log(exponential[anchor]) if with_radius else 0.0
    loss, pushing = 0.0, 0.0
    for i in range(len(positives)):
        v = positives[i]
        e, h, chord = _exp_score(table, anchor, v, with_radius)
        cost = np.log(e)
        behind = inverse_temperature * (cost - least) + log_total
        # log(1 + exp(behind)) without overflow; its derivative is the share of the negatives
        tail = np.exp(-abs(behind))
        loss += weights[i] * (max(behind, 0.0) + np.log1p(tail) + pull * (cost - own))
        share = 1.0 / (1.0 + tail) if behind > 0.0 else tail / (1.0 + tail)
        if share < NEGLIGIBLE:
            share = 0.0
        pushing += weights[i] * share
        scale = weights[i] * (inverse_temperature * share + pull)
        if scale == 0.0:
            continue
        slot_a, slot_v = _slot(anchor, slots), _slot(v, slots)
        _add_distance_gradient(table, gradient, anchor, v, slot_a, slot_v, h, chord, scale)
        if with_radius:
            radial[slot_v] += scale
            radial[slot_a] -= weights[i] * pull
    if pushing == 0.0:
        return loss
    term, excess, chords = scratch
    for j in range(len(negatives)):
        if term[j] < NEGLIGIBLE * total:
            continue
        v = negatives[j]
        scale = -inverse_temperature * pushing * term[j] / total
        slot_a, slot_v = _slot(anchor, slots), _slot(v, slots)
        _add_distance_gradient(table, gradient, anchor, v, slot_a, slot_v, excess[j], chords[j], scale)
        if with_radius:
            radial[slot_v] += scale
    return loss


@njit(cache=True, inline="always")
def _path(tree: Any, way: Any, a: int, b: int) -> float:  # pragma: no cover - compiled
    """Length of the path between rows by first parents; in preorder the later row is no ancestor of the other."""
    parent = tree[0]
    x, y = a, b
    while x != y:
        if x > y:
            x = parent[x]
        else:
            y = parent[y]
    return way[a] + way[b] - 2.0 * way[x]


@njit(cache=True, fastmath=True, error_model="numpy")
def _stretch_pair(
    table: Any, gradient: Any, slots: Any, a: int, b: int, wanted: float, strength: float
) -> float:  # pragma: no cover - compiled
    """strength * (d(a, b) / wanted - 1)^2; gradients are added."""
    direction, exponential = table
    chord = _chord(direction, a, b)
    h, _ = _excess(exponential[a], exponential[b], chord)
    off = np.log1p(h + np.sqrt(h * (h + 2.0))) / wanted - 1.0
    slot_a, slot_b = _slot(a, slots), _slot(b, slots)
    _add_distance_gradient(table, gradient, a, b, slot_a, slot_b, h, chord, 2.0 * strength * off / wanted)
    return strength * off * off


@njit(cache=True, error_model="numpy")
def stretch_group(
    table: Any, gradient: Any, slots: Any, tree: Any, anchor: int, group: Any, stretch: Any
) -> float:  # pragma: no cover - compiled
    """Distances of an anchor against lengths of paths: sum over its positives of weight times loss.

    Loss of a positive: strength * (its squared error, if it lies above by first parents, plus the mean over the
    negatives of theirs), the error of a pair being d / (unit * length) - 1. Gradients are added.

    Args:
        table, gradient, slots, tree: see `epoch`.
        anchor, group: see `softmax_group`.
        stretch: strength, unit, and (N,) lengths of the ways from the root.
    """
    positives, weights, negatives = group
    strength, unit, way = stretch
    end = tree[1]
    loss, total = 0.0, 0.0
    for i in range(len(positives)):
        a = positives[i]
        total += weights[i]
        if a < anchor < end[a]:
            wanted = unit * (way[anchor] - way[a])
            loss += _stretch_pair(table, gradient, slots, anchor, a, wanted, strength * weights[i])
    share = strength * total / len(negatives)
    for n in negatives:
        loss += _stretch_pair(table, gradient, slots, anchor, n, unit * _path(tree, way, anchor, n), share)
    return loss


@njit(cache=True, fastmath=True, error_model="numpy")
def _pull_to_target(
    touched: Any, radius: Any, target: Any, radial: Any, strength: float
) -> float:  # pragma: no cover - compiled
    """strength * mean over touched rows of (radius - target)^2; gradients are added."""
    total = 0.0
    for s in range(len(touched)):
        off = radius[touched[s]] - target[touched[s]]
        total += off * off
        radial[s] += 2.0 * strength * off / len(touched)
    return strength * total / max(len(touched), 1)


@njit(cache=True, fastmath=True, error_model="numpy")
def _update_moments(
    u: Any, state: Any, row: int, angular: Any, radial: float, train_radius: bool, adaptive: bool
) -> float:  # pragma: no cover - compiled
    """Take a row's gradient into its moments; returns the factor that makes the first moment a step of rate 1."""
    momentum_r, momentum_u, second, steps = state
    keep = ADAM_BETA1 if adaptive else 0.0
    dot = 0.0
    for i in range(len(u)):
        dot += angular[i] * u[i]
    length = radial * radial if train_radius else 0.0
    for i in range(len(u)):
        g = angular[i] - dot * u[i]
        momentum_u[row, i] = keep * momentum_u[row, i] + (1.0 - keep) * g
        length += g * g
    if train_radius:
        momentum_r[row] = keep * momentum_r[row] + (1.0 - keep) * radial
    if not adaptive:
        return 1.0
    second[row] = ADAM_BETA2 * second[row] + (1.0 - ADAM_BETA2) * length
    steps[row] += 1
    bias1 = 1.0 - ADAM_BETA1 ** steps[row]
    bias2 = 1.0 - ADAM_BETA2 ** steps[row]
    return 1.0 / (bias1 * (np.sqrt(second[row] / bias2) + ADAM_EPS))


@njit(cache=True, fastmath=True, error_model="numpy")
def step_rows(
    radius: Any, table: Any, state: Any, touched: Any, gradient: Any, lr: float, limits: Any
) -> tuple[float, int]:  # pragma: no cover - compiled
    """Riemannian Adam, or plain descent, for the touched rows only: state, step and limit of the radius.

    Args:
        radius, table, state: see `epoch`.
        touched, gradient: rows, and their gradients in their order; the angular ones are overwritten.
        lr: length of a step of Adam; of plain descent the factor on the gradient.
        limits: largest radius, whether radii are trained, whether the steps adapt (Adam).

    Returns the largest radius before the limit, and how many rows would have passed it.

    One second moment a row, of the squared Riemannian length of the gradient, so the step does not depend on the
    frame. The step is the exponential map in polar coordinates: with tangent (a, b w), w a unit vector at the
    direction u and t its length, sinh r' u' = (sinh r cosh t + cosh r sinh t a/t) u + sinh t b/t w.
    """
    direction, exponential = table
    momentum_r, momentum_u = state[0], state[1]
    angular, radial = gradient
    max_radius, train_radius, adaptive = limits
    dim = direction.shape[1]
    largest, beyond = 0.0, 0
    for s in range(len(touched)):
        row = touched[s]
        f = -lr * _update_moments(direction[row], state, row, angular[s], radial[s], train_radius, adaptive)
        a = f * momentum_r[row]
        b2 = 0.0
        for i in range(dim):
            b2 += momentum_u[row, i] * momentum_u[row, i]
        b = abs(f) * np.sqrt(b2)
        t = np.sqrt(a * a + b * b)
        if t < _TINY:
            continue
        e = exponential[row]
        sinh_r, cosh_r = 0.5 * (e - 1.0 / e), 0.5 * (e + 1.0 / e)
        et = np.exp(t)
        sinh_t, cosh_t = 0.5 * (et - 1.0 / et), 0.5 * (et + 1.0 / et)
        along = sinh_r * cosh_t + cosh_r * sinh_t * a / t
        across = sinh_t / t * f
        norm = 0.0
        for i in range(dim):
            x = along * direction[row, i] + across * momentum_u[row, i]
            angular[s, i] = x
            norm += x * x
        norm = np.sqrt(norm)
        if norm < _TINY:
            continue
        dot = 0.0
        for i in range(dim):
            direction[row, i] = angular[s, i] / norm
            dot += direction[row, i] * momentum_u[row, i]
        for i in range(dim):
            momentum_u[row, i] -= dot * direction[row, i]
        if train_radius:
            reached = np.arcsinh(norm)
            largest = max(largest, reached)
            beyond += reached > max_radius
            radius[row] = min(reached, max_radius)
            exponential[row] = np.exp(radius[row])
    return largest, beyond


@njit(cache=True)
def draw(tree: Any, pairs: Any, pair: int, options: Any, seeds: Any, out: Any) -> int:  # pragma: no cover - compiled
    """Negatives of one pair, as the objective wants them; returns how many.

    All pairs of a descendant get the same ones, except for ranking. `options` are the kind, near and reach; in the
    place of near stands the sampler for ranking, and NOT_ABOVE for all rows that are no ancestors.
    """
    ancestor, descendant, _ = pairs
    kind, near, reach = options
    if kind == RANKING:
        return negatives_for_ranking(near, tree, ancestor[pair], descendant[pair], seeds[0], seeds[1], pair, out)
    anchor = descendant[pair]
    if near == NOT_ABOVE:
        return negatives_not_above(tree, anchor, seeds[0], seeds[1], anchor, out)
    return negatives_near(tree, anchor, near, reach, seeds[0], seeds[1], anchor, out)


@njit(cache=True)
def draw_batch(tree: Any, pairs: Any, batch: Any, options: Any, seeds: Any, out: Any) -> Any:  # pragma: no cover
    """Negatives (B, K) of a batch of pairs into `out`; returns (B,) how many each got."""
    counts = np.zeros(len(batch), np.int64)
    for i in range(len(batch)):
        counts[i] = draw(tree, pairs, batch[i], options, seeds, out[i])
    return counts


@njit(cache=True, error_model="numpy")
def _ranking_batch(
    table: Any,
    gradient: Any,
    slots: Any,
    tree: Any,
    pairs: Any,
    batch: Any,
    total: float,
    loss: Any,
    seeds: Any,
    work: Any,
) -> tuple[float, float]:  # pragma: no cover - compiled
    """Gradients of a batch for `ranking`; sum of weighted losses and of the weights of pairs with negatives."""
    ancestor, descendant, weight = pairs
    kind, _, near, reach, margins, _, _, _ = loss
    drawn = work[0]
    losses, weights = 0.0, 0.0
    for p in range(len(batch)):
        pair = batch[p]
        k = draw(tree, pairs, pair, (kind, near, reach), seeds, drawn)
        if k > 0:
            a, d, w = ancestor[pair], descendant[pair], weight[pair]
            margin = margins[0] + margins[1] * (tree[2][d] - tree[2][a])
            losses += ranking_pair(table, gradient, slots, a, d, drawn[:k], margin, w / total) * total
            weights += w
    return losses, weights


@njit(cache=True, error_model="numpy")
def _softmax_batch(
    table: Any,
    gradient: Any,
    slots: Any,
    tree: Any,
    pairs: Any,
    batch: Any,
    total: float,
    loss: Any,
    seeds: Any,
    work: Any,
) -> tuple[float, float]:  # pragma: no cover - compiled
    """As `_ranking_batch`, for `closure` and `slack`: neighbouring pairs of one descendant are one group."""
    ancestor, descendant, weight = pairs
    kind, _, near, reach, _, inverse_temperature, pull, stretch = loss
    drawn, scratch, positives, shares = work
    losses, weights = 0.0, 0.0
    p = 0
    while p < len(batch):
        anchor = descendant[batch[p]]
        count, sum_weights = 0, 0.0
        while p + count < len(batch) and descendant[batch[p + count]] == anchor:
            pair = batch[p + count]
            positives[count] = ancestor[pair]
            shares[count] = weight[pair] / total
            sum_weights += weight[pair]
            count += 1
        k = draw(tree, pairs, batch[p], (kind, near, reach), seeds, drawn)
        if k > 0:
            group = positives[:count], shares[:count], drawn[:k]
            value = softmax_group(
                table, gradient, slots, anchor, group, scratch, inverse_temperature, pull, kind == SLACK
            )
            if stretch[0] > 0.0:
                value += stretch_group(table, gradient, slots, tree, anchor, group, stretch)
            losses += value * total
            weights += sum_weights
        p += count
    return losses, weights


@njit(cache=True, nogil=True, error_model="numpy")
def epoch(
    radius: Any,
    table: Any,
    state: Any,
    target: Any,
    tree: Any,
    pairs: Any,
    order: Any,
    loss: Any,
    step: Any,
    seeds: Any,
) -> tuple[float, float, float, int, int]:  # pragma: no cover - compiled
    """Train one epoch in place.

    Args:
        radius, table, state: (N,) radii; directions (N, d) and exp(radius); the optimiser's state.
        target: (N,) target radii.
        tree: `TreeArrays.as_tuple()`.
        pairs: ancestors, descendants and weights, (P,) each.
        order: positions of pairs, in the order of training.
        loss: kind, negatives, near (for ranking the sampler), reach, margins, inverse temperature, pull, stretch; the
            margin of a pair is margins[0] + margins[1] * depth difference; stretch: `stretch_group`, strength 0: none.
        step: batch, learning rate, regulariser, largest radius, whether radii are trained, whether steps adapt.
        seeds: seed and number of the epoch.

    Returns:
        Sum of weighted losses, sum of weights, largest radius before the limit, steps beyond it, steps of rows.
    """
    weight = pairs[2]
    kind, count = loss[0], loss[1]
    batch, lr, strength, max_radius, train_radius, adaptive = step
    direction, _ = table
    capacity = min(batch * (count + 2), len(radius))
    gradient = (np.zeros((capacity, direction.shape[1])), np.zeros(capacity))
    angular, radial = gradient
    counter = np.zeros(2, np.int64)
    touched = np.zeros(capacity, np.int64)
    slots = (np.full(len(radius), -1, np.int64), np.zeros(len(radius), np.int64), touched, counter)
    scratch = (np.zeros(count), np.zeros(count), np.zeros(count))
    work = (np.zeros(count, np.int64), scratch, np.zeros(batch, np.int64), np.zeros(batch))
    losses, weights, largest, beyond, moved = 0.0, 0.0, 0.0, 0, 0
    for start in range(0, len(order), batch):
        part = order[start : start + batch]
        counter[0] = 0
        counter[1] = start
        total = weight[part].sum()
        if kind == RANKING:
            found = _ranking_batch(table, gradient, slots, tree, pairs, part, total, loss, seeds, work)
        else:
            found = _softmax_batch(table, gradient, slots, tree, pairs, part, total, loss, seeds, work)
        losses += found[0]
        weights += found[1]
        n = counter[0]
        moved += n
        if train_radius and strength > 0.0:
            _pull_to_target(touched[:n], radius, target, radial, strength)
        limits = max_radius, train_radius, adaptive
        reached, passed = step_rows(radius, table, state, touched[:n], gradient, lr, limits)
        largest = max(largest, reached)
        beyond += passed
        angular[:n] = 0.0
        radial[:n] = 0.0
    return losses, weights, largest, beyond, moved
