"""The older documents' loss in PyTorch: the truth that `dense_kernel` is tested against.

Points are ball coordinates x, or rows z with x = tanh(|z| / 2) z / |z|. With e = 1e-5 and squared norms cut at 1 - e

    d(u, v) = arcosh(1 + 2 |u - v|^2 / ((1 - |u|^2) (1 - |v|^2) + e) + e),

which is defined outside the ball too, and wrong there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

Parametrization = Literal["ball", "tangent_space"]

EPS = 1e-5
NORM_FLOOR = 1e-8


def ball_points(rows: Tensor, parametrization: Parametrization) -> Tensor:
    """(R, d) ball coordinates of stored rows."""
    if parametrization == "ball":
        return rows
    import torch

    norm = rows.norm(dim=-1, keepdim=True).clamp_min(NORM_FLOOR)
    return torch.tanh(norm / 2.0) * rows / norm


def distance(u: Tensor, v: Tensor) -> Tensor:
    """The documents' distance; broadcasts over leading axes."""
    import torch

    a, b = (x.square().sum(-1).clamp_max(1.0 - EPS) for x in (u, v))
    return torch.acosh(1.0 + 2.0 * (u - v).square().sum(-1) / ((1.0 - a) * (1.0 - b) + EPS) + EPS)


def batch_loss(
    points: Tensor,
    target: Tensor,
    ancestor: Tensor,
    descendant: Tensor,
    negatives: Tensor,
    *,
    weight: Tensor,
    factor: Tensor,
    margin: Tensor,
    regulariser: float,
) -> Tensor:
    """What one batch minimises: mean_i w_i / mean(w) f_i mean_j max(0, d(a, p) - d(a, n_j) + m_i) + the regulariser.

    The regulariser is lambda times the mean of (|x| - target)^2 over all rows.

    Args:
        points: (N, d) ball coordinates.
        target: (N,) target norms.
        ancestor, descendant: (B,) rows. negatives: (B, K) rows.
        weight, factor, margin: (B,) of each pair.
        regulariser: lambda.
    """
    anchor = points[ancestor]
    near, far = distance(anchor, points[descendant]), distance(anchor[:, None], points[negatives])
    hinge = (near[:, None] - far + margin[:, None]).clamp_min(0.0).mean(1)
    pull = (points.norm(dim=1) - target).square().mean()
    return (weight / weight.mean() * factor * hinge).mean() + regulariser * pull
