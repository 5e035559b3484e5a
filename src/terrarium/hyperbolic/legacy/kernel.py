"""One epoch of the older documents' training on the CPU, compiled.

Points are ball coordinates (or, for `tanh`, their logarithms at the origin) in one table, and Adam moves every row in
every batch: also rows that the batch does not name, by their momentum and by the regulariser. Only the named rows are
rescaled into the ball afterwards, so others leave it. `terrarium.hyperbolic.legacy.loss` states the loss in
PyTorch; the tests hold the two together over several steps.

The table lies transposed, (d, N), so that one pass over it runs along rows: gradient of the regulariser, clipping and
Adam are fused there, and the norms that the next batch needs come out of it. The gradient of the loss is summed for
the rows of the batch alone, in float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from terrarium.hyperbolic.legacy.loss import EPS, NORM_FLOOR
from terrarium.hyperbolic.legacy.negatives import negatives_for_ranking
from terrarium.hyperbolic.training.cpu_kernel import ADAM_BETA1, ADAM_BETA2, ADAM_EPS

_BLOCK = 2048
_CLIP_EPS = 1e-6
_TINY_MOMENTUM, _TINY_SECOND = 1e-30, 1e-36
_NUDGE_EDGE = 1e-6


@njit(cache=True, inline="always")
def _slot(row: int, slots: Any) -> int:  # pragma: no cover - compiled
    """Place of a row in the batch; a new one if the batch has not named it yet."""
    stamp, place, named, count = slots
    if stamp[row] != count[1]:
        stamp[row] = count[1]
        place[row] = count[0]
        named[count[0]] = row
        count[0] += 1
    return place[row]


@njit(cache=True, fastmath=True, error_model="numpy")
def gather(points: Any, norm: Any, named: Any, tanh: bool, local: Any) -> None:  # pragma: no cover - compiled
    """Ball coordinates of the named rows, their squared norms (at most 1 - eps), and which of these are free."""
    ball, square, free = local
    for i in range(len(points)):
        for s in range(len(named)):
            ball[s, i] = points[i, named[s]]
    for s in range(len(named)):
        if tanh:
            length = max(float(norm[named[s]]), NORM_FLOOR)
            share = np.tanh(0.5 * length) / length
            for i in range(len(points)):
                ball[s, i] *= share
        total = 0.0
        for i in range(len(points)):
            total += ball[s, i] * ball[s, i]
        free[s] = 1.0 if total <= 1.0 - EPS else 0.0
        square[s] = min(total, 1.0 - EPS)


@njit(cache=True, inline="always", fastmath=True, error_model="numpy")
def _gap(local: Any, a: int, b: int) -> tuple[float, float, float]:  # pragma: no cover - compiled
    """cosh d - 1, |u - v|^2 and the denominator of the documents' distance."""
    ball, square, _ = local
    q = 0.0
    for i in range(ball.shape[1]):
        difference = ball[a, i] - ball[b, i]
        q += difference * difference
    denominator = (1.0 - square[a]) * (1.0 - square[b]) + EPS
    return 2.0 * q / denominator + EPS, q, denominator


@njit(cache=True, fastmath=True, error_model="numpy")
def _add_gradient(
    local: Any, gradient: Any, a: int, b: int, h: float, q: float, denominator: float, scale: float
) -> None:  # pragma: no cover - compiled
    """Add scale * dd(a, b) to the gradients of both rows; a clamped norm has none."""
    ball, square, free = local
    f = 4.0 * scale / (np.sqrt(h * (h + 2.0)) * denominator)
    along_a = f * q / denominator * (1.0 - square[b]) * free[a]
    along_b = f * q / denominator * (1.0 - square[a]) * free[b]
    for i in range(ball.shape[1]):
        step = f * (ball[a, i] - ball[b, i])
        gradient[a, i] += step + along_a * ball[a, i]
        gradient[b, i] += along_b * ball[b, i] - step


@njit(cache=True, fastmath=True, error_model="numpy")
def hinge_pair(
    local: Any, gradient: Any, anchor: int, positive: int, negatives: Any, margin: float, weight: float
) -> float:  # pragma: no cover - compiled
    """mean_j max(0, d(anchor, positive) - d(anchor, n_j) + margin), times weight; gradients are added.

    Rows are places in `local`.
    """
    h_p, q_p, denominator_p = _gap(local, anchor, positive)
    bound = np.log1p(h_p + np.sqrt(h_p * (h_p + 2.0))) + margin
    share = weight / len(negatives)
    loss, active = 0.0, 0
    for j in range(len(negatives)):
        n = negatives[j]
        h, q, denominator = _gap(local, anchor, n)
        hinge = bound - np.log1p(h + np.sqrt(h * (h + 2.0)))
        if hinge > 0.0:
            loss += hinge
            active += 1
            _add_gradient(local, gradient, anchor, n, h, q, denominator, -share)
    if active:
        _add_gradient(local, gradient, anchor, positive, h_p, q_p, denominator_p, share * active)
    return loss * share


@njit(cache=True, fastmath=True, error_model="numpy")
def _to_stored(points: Any, norm: Any, named: Any, tanh: bool, gradient: Any) -> None:  # pragma: no cover - compiled
    """Carry the gradient from ball coordinates x to the stored rows z, x = tanh(|z| / 2) z / |z|."""
    if not tanh:
        return
    for s in range(len(named)):
        row = named[s]
        length = max(float(norm[row]), NORM_FLOOR)
        rho = np.tanh(0.5 * length)
        across, along = rho / length, 0.5 * (1.0 - rho * rho)
        dot = 0.0
        for i in range(len(points)):
            dot += gradient[s, i] * points[i, row]
        radial = (along - across) * dot / (length * length)
        for i in range(len(points)):
            gradient[s, i] = across * gradient[s, i] + radial * points[i, row]


@njit(cache=True, inline="always", fastmath=True, error_model="numpy")
def _pull(length: float, target: float, tanh: bool) -> float:  # pragma: no cover - compiled
    """Half the derivative of (|x| - target)^2 by the norm of the stored row."""
    if not tanh:
        return length - target
    rho = np.tanh(0.5 * length)
    return (rho - target) * 0.5 * (1.0 - rho * rho)


@njit(cache=True, fastmath=True, error_model="numpy")
def measure_rows(points: Any, target: Any, norm: Any, pull: Any, tanh: bool) -> float:  # pragma: no cover - compiled
    """Fill norms and pulls of all rows; returns the sum of the squared pulls."""
    total = 0.0
    for row in range(len(norm)):
        square = 0.0
        for i in range(len(points)):
            square += points[i, row] * points[i, row]
        norm[row] = np.sqrt(square)
        pull[row] = _pull(norm[row], target[row], tanh)
        total += pull[row] * pull[row]
    return total


@njit(cache=True, fastmath=True, error_model="numpy")
def _clip_factor(
    points: Any, norm: Any, pull: Any, named: Any, gradient: Any, pulled: float, strength: float, clip: float
) -> float:  # pragma: no cover - compiled
    """What scales the gradient of the whole table to a norm of at most `clip` (torch's clip_grad_norm_); 0: none.

    strength^2 * pulled is the square of the regulariser's gradient; the rows of the batch have the loss's beside it.
    """
    if clip <= 0.0:
        return 1.0
    total = strength * strength * pulled
    for s in range(len(named)):
        row = named[s]
        share = 2.0 * strength * pull[row] / norm[row] if norm[row] > 0.0 else 0.0
        for i in range(len(points)):
            g = gradient[s, i]
            total += g * (share * points[i, row] + g)
    return min(1.0, clip / (np.sqrt(total) + _CLIP_EPS))


@njit(cache=True, fastmath=True, error_model="numpy")
def adam_pass(
    table: Any, state: Any, extra: Any, target: Any, scratch: Any, constants: Any, tanh: bool
) -> tuple[float, float]:  # pragma: no cover - compiled
    """One step of Adam for every row, torch's defaults, with the regulariser's gradient made on the way.

    Args:
        table: points (d, N), norms and pulls (N,); the last two are those of the points before and after.
        state: first and second moments (d, N).
        extra: (d, N) gradient of the loss.
        target: (N,) target norms.
        scratch: two buffers of a block.
        constants: strength, clip factor, learning rate over bias 1, one over the root of bias 2, both betas and their
            complements, eps; in the dtype of the table, which keeps the loops narrow.
        tanh: whether rows are stored as logarithms.

    Returns:
        Sum of the squared pulls, largest norm.
    """
    points, norm, pull = table
    momentum, second = state
    strength, clip, step, root, beta1, rest1, beta2, rest2, eps = constants
    zero, tiny_m, tiny_v = (
        constants.dtype.type(0.0),
        constants.dtype.type(_TINY_MOMENTUM),
        constants.dtype.type(_TINY_SECOND),
    )
    pulled, largest = 0.0, 0.0
    for start in range(0, len(norm), _BLOCK):
        stop = min(start + _BLOCK, len(norm))
        share, square = scratch[0][: stop - start], scratch[1][: stop - start]
        length, force, goal = norm[start:stop], pull[start:stop], target[start:stop]
        for j in range(len(share)):
            share[j] = strength * force[j] / length[j] if length[j] > zero else zero
            square[j] = zero
        for i in range(len(points)):
            x, m, v, e = points[i, start:stop], momentum[i, start:stop], second[i, start:stop], extra[i, start:stop]
            for j in range(len(x)):
                g = clip * (share[j] * x[j] + e[j])
                m_new = beta1 * m[j] + rest1 * g
                v_new = beta2 * v[j] + rest2 * g * g
                # numbers this small are slow and change nothing
                m_new = m_new if abs(m_new) > tiny_m else zero
                v_new = v_new if v_new > tiny_v else zero
                x_new = x[j] - step * m_new / (np.sqrt(v_new) * root + eps)
                m[j], v[j], x[j] = m_new, v_new, x_new
                square[j] += x_new * x_new
        block, most = zero, zero
        for j in range(len(share)):
            length[j] = np.sqrt(square[j])
            most = max(most, length[j])
        if tanh:
            for j in range(len(share)):
                force[j] = _pull(length[j], goal[j], True)
                block += force[j] * force[j]
        else:
            for j in range(len(share)):
                force[j] = length[j] - goal[j]
                block += force[j] * force[j]
        pulled += block
        largest = max(largest, float(most))
    return pulled, largest


@njit(cache=True, inline="always", fastmath=True, error_model="numpy")
def _rescale(table: Any, target: Any, row: int, factor: float, tanh: bool) -> float:  # pragma: no cover - compiled
    """Scale a stored row; returns by how much its squared pull grew."""
    points, norm, pull = table
    before = float(pull[row]) * float(pull[row])
    for i in range(len(points)):
        points[i, row] *= factor
    norm[row] *= factor
    pull[row] = _pull(norm[row], target[row], tanh)
    return float(pull[row]) * float(pull[row]) - before


@njit(cache=True, fastmath=True, error_model="numpy")
def nudge(table: Any, target: Any, named: Any, share: float, tanh: bool) -> float:  # pragma: no cover - compiled
    """Move the norms of the named rows' ball points by a share of the way to their targets; returns the pulls' growth.

    The documents: norm <- (1 - alpha) norm + alpha target, the direction kept.
    """
    grown = 0.0
    for s in range(len(named)):
        row = named[s]
        length = float(table[1][row])
        if length <= NORM_FLOOR:
            continue
        if tanh:
            wanted = (1.0 - share) * np.tanh(0.5 * length) + share * target[row]
            wanted = 2.0 * np.arctanh(min(max(wanted, _NUDGE_EDGE), 1.0 - _NUDGE_EDGE))
        else:
            wanted = (1.0 - share) * length + share * target[row]
        grown += _rescale(table, target, row, wanted / length, tanh)
    return grown


@njit(cache=True, fastmath=True, error_model="numpy")
def project_named(
    table: Any, target: Any, named: Any, limit: float
) -> tuple[float, int]:  # pragma: no cover - compiled
    """Scale the named ball points beyond the limit back to it; returns the pulls' growth and how many they were."""
    grown, beyond = 0.0, 0
    for s in range(len(named)):
        length = float(table[1][named[s]])
        if length > limit:
            grown += _rescale(table, target, named[s], limit / length, False)
            beyond += 1
    return grown, beyond


@njit(cache=True, fastmath=True, error_model="numpy")
def project_all(table: Any, target: Any, limit: float) -> float:  # pragma: no cover - compiled
    """Scale all ball points beyond the limit back to it; returns the pulls' growth."""
    grown = 0.0
    norm = table[1]
    for row in range(len(norm)):
        if norm[row] > limit:
            grown += _rescale(table, target, row, limit / float(norm[row]), False)
    return grown


@njit(cache=True, fastmath=True, error_model="numpy")
def epoch(
    points: Any, state: Any, target: Any, tree: Any, pairs: Any, order: Any, loss: Any, step: Any, hold: Any, seeds: Any
) -> tuple[float, float, float, int, int]:  # pragma: no cover - compiled
    """Train one epoch in place. Nothing is allocated in a batch.

    Args:
        points: (d, N) table, float32 (float64 for tests).
        state: first and second moments (d, N), and how many batches lie behind, (1,).
        target: (N,) target norms, in the dtype of the table.
        tree: `TreeArrays.as_tuple()`.
        pairs: ancestors, descendants, weights, factors; (P,) each. A pair's loss counts weight / mean weight of the
            batch * factor.
        order: positions of pairs, in the order of training.
        loss: negatives, sampler, margins; the margin of a pair is margins[0] + margins[1] * depth difference.
        step: batch size, learning rate, regulariser, largest norm of the gradient (0: any).
        hold: whether rows are logarithms, nudge, limit of the norm, whether all rows are projected in each batch,
            every how many batches all are (0: never).
        seeds: seed and number of the epoch.

    Returns:
        Sum of weighted losses, sum of weights, largest norm before a projection, named rows beyond the limit, named
        rows.
    """
    negatives, _, _ = loss
    batch, rate, regulariser, clip = step
    tanh, nudged, limit, hold_all, every = hold
    momentum, second, steps = state
    dim, size = points.shape
    capacity = batch * (negatives + 2)
    table = (points, np.empty(size, points.dtype), np.empty(size, points.dtype))
    norm, pull = table[1], table[2]
    scratch = (np.empty(_BLOCK, points.dtype), np.empty(_BLOCK, points.dtype))
    constants = np.empty(9, points.dtype)
    extra = np.zeros((dim, size), points.dtype)
    local = (np.empty((capacity, dim)), np.empty(capacity), np.empty(capacity))
    gradient = np.zeros((capacity, dim))
    counter, named = np.zeros(2, np.int64), np.empty(capacity, np.int64)
    slots = (np.full(size, -1, np.int64), np.empty(size, np.int64), named, counter)
    drawn = (np.empty((batch, negatives), np.int64), np.empty((batch, 2), np.int64), np.empty(batch, np.int64))
    strength = 2.0 * regulariser / size
    pulled = measure_rows(points, target, norm, pull, tanh)
    losses, weights, largest, beyond, moved = 0.0, 0.0, 0.0, 0, 0
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        counter[0], counter[1] = 0, start
        _draw_batch(tree, pairs, chosen, loss, seeds, slots, drawn)
        rows = named[: counter[0]]
        gather(points, norm, rows, tanh, local)
        loss_sum, weight_sum = _batch_gradient(tree, pairs, chosen, loss, local, drawn, gradient)
        _to_stored(points, norm, rows, tanh, gradient)
        clipped = _clip_factor(points, norm, pull, rows, gradient, pulled, strength, clip)
        steps[0] += 1
        _set_constants(constants, strength, clipped, rate, steps[0])
        _scatter(extra, rows, gradient)
        pulled, reached = adam_pass(table, (momentum, second), extra, target, scratch, constants, tanh)
        _clear(extra, rows, gradient)
        losses, weights, largest = losses + loss_sum, weights + weight_sum, max(largest, reached)
        moved += len(rows)
        if nudged > 0.0:
            pulled += nudge(table, target, rows, nudged, tanh)
        if not tanh:
            grown, passed = project_named(table, target, rows, limit)
            pulled += grown
            beyond += passed
            if hold_all or (every > 0 and (start // batch) % every == 0):
                pulled += project_all(table, target, limit)
    return losses, weights, largest, beyond, moved


@njit(cache=True)
def _draw_batch(
    tree: Any, pairs: Any, chosen: Any, loss: Any, seeds: Any, slots: Any, drawn: Any
) -> None:  # pragma: no cover - compiled
    """Negatives of the pairs, their two ends, and how many negatives there are; all as places in the batch."""
    ancestor, descendant, _, _ = pairs
    _, sampler, _ = loss
    negatives, ends, counts = drawn
    for b in range(len(chosen)):
        pair = chosen[b]
        a, d = ancestor[pair], descendant[pair]
        counts[b] = negatives_for_ranking(sampler, tree, a, d, seeds[0], seeds[1], pair, negatives[b])
        ends[b, 0], ends[b, 1] = _slot(a, slots), _slot(d, slots)
        for j in range(counts[b]):
            negatives[b, j] = _slot(negatives[b, j], slots)


@njit(cache=True)
def _batch_gradient(
    tree: Any, pairs: Any, chosen: Any, loss: Any, local: Any, drawn: Any, gradient: Any
) -> tuple[float, float]:  # pragma: no cover - compiled
    """Add the gradient of the batch's loss; returns the sums of weighted losses and of weights."""
    ancestor, descendant, weight, factor = pairs
    _, _, margins = loss
    negatives, ends, counts = drawn
    total = 0.0
    for b in range(len(chosen)):
        total += weight[chosen[b]]
    losses, weights = 0.0, 0.0
    for b in range(len(chosen)):
        pair = chosen[b]
        if counts[b] == 0:
            continue
        margin = margins[0] + margins[1] * (tree[2][descendant[pair]] - tree[2][ancestor[pair]])
        share = weight[pair] * factor[pair] / total
        found = negatives[b, : counts[b]]
        losses += total * hinge_pair(local, gradient, ends[b, 0], ends[b, 1], found, margin, share)
        weights += weight[pair]
    return losses, weights


@njit(cache=True)
def _set_constants(
    constants: Any, strength: float, clipped: float, rate: float, steps: int
) -> None:  # pragma: no cover - compiled
    """What `adam_pass` multiplies by, at a step of Adam."""
    constants[0], constants[1] = strength, clipped
    constants[2] = rate / (1.0 - ADAM_BETA1**steps)
    constants[3] = 1.0 / np.sqrt(1.0 - ADAM_BETA2**steps)
    constants[4], constants[5] = ADAM_BETA1, 1.0 - ADAM_BETA1
    constants[6], constants[7] = ADAM_BETA2, 1.0 - ADAM_BETA2
    constants[8] = ADAM_EPS


@njit(cache=True)
def _scatter(extra: Any, named: Any, gradient: Any) -> None:  # pragma: no cover - compiled
    for i in range(len(extra)):
        for s in range(len(named)):
            extra[i, named[s]] = gradient[s, i]


@njit(cache=True)
def _clear(extra: Any, named: Any, gradient: Any) -> None:  # pragma: no cover - compiled
    for i in range(len(extra)):
        for s in range(len(named)):
            extra[i, named[s]] = 0.0
    gradient[: len(named)] = 0.0
