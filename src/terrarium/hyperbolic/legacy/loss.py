"""The reference recipes' loss in PyTorch: what the compiled kernel is tested against.

Points are ball coordinates x, or log-map coordinates z at the origin with x = tanh(|z| / 2) z / |z|. With e = 1e-5 and
squared norms cut at 1 - e,

    d(u, v) = arcosh(1 + 2 |u - v|^2 / ((1 - |u|^2) (1 - |v|^2) + e) + e),

which is defined outside the ball too, and wrong there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

EPS = 1e-5
NORM_FLOOR = 1e-8


class LegacyBatch(NamedTuple):
    """A batch of B pairs with K negatives each.

    Attributes:
        ancestor, descendant: (B,) rows.
        negatives: (B, K) rows.
        weight, class_weight, margin: (B,) of each pair.
    """

    ancestor: Tensor
    descendant: Tensor
    negatives: Tensor
    weight: Tensor
    class_weight: Tensor
    margin: Tensor


def exponential_map(rows: Tensor) -> Tensor:
    """Return the (R, d) ball coordinates of log-map coordinates at the origin."""
    import torch

    norm = rows.norm(dim=-1, keepdim=True).clamp_min(NORM_FLOOR)
    return torch.tanh(norm / 2.0) * rows / norm


def distance(u: Tensor, v: Tensor) -> Tensor:
    """Return the distances of ball points; broadcasts over leading axes."""
    import torch

    a, b = (x.square().sum(-1).clamp_max(1.0 - EPS) for x in (u, v))
    return torch.acosh(1.0 + 2.0 * (u - v).square().sum(-1) / ((1.0 - a) * (1.0 - b) + EPS) + EPS)


def batch_loss(points: Tensor, target: Tensor, batch: LegacyBatch, radius_penalty: float) -> Tensor:
    """Return what one batch minimises.

    mean_i w_i / mean(w) c_i mean_j max(0, d(a, u) - d(a, v_j) + m_i), plus radius_penalty times the mean over all rows
    of (|x| - target)^2.

    Args:
        points: (N, d) ball coordinates.
        target: (N,) target norms.
        batch: pairs with weights w, class weights c and margins m.
        radius_penalty: weight of the penalty.
    """
    anchor = points[batch.ancestor]
    near, far = distance(anchor, points[batch.descendant]), distance(anchor[:, None], points[batch.negatives])
    hinge = (near[:, None] - far + batch.margin[:, None]).clamp_min(0.0).mean(1)
    penalty = (points.norm(dim=1) - target).square().mean()
    weight = batch.weight / batch.weight.mean() * batch.class_weight
    return (weight * hinge).mean() + radius_penalty * penalty
