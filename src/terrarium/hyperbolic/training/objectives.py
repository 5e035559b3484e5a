"""The losses, stated once in PyTorch: what the compiled kernel is tested against, and what GPUs run.

For a pair of an ancestor a and a descendant u with negatives v_j, d the hyperbolic distance and r the distance from the
origin:

- margin_ranking: mean_j max(0, d(a, u) - d(a, v_j) + margin);
- distance_softmax: -log softmax of -d(u, a) / T among the -d(u, v_j) / T (Nickel and Kiela 2017);
- detour: the same with the detour r_v + d(u, v) - r_u in place of d, which is 2 (r_v - Gromov product of u and v at
  the origin) and 0 for v on the geodesic from the origin to u;
- fine_tune: detour, and `distortion_weight` times the squared relative errors of d(u, a) and, on the mean, of the
  d(u, v_j) against path lengths in the tree.

The softmax losses add `positive_weight` times d(u, a) or the detour of a. All pairs of a descendant share its
negatives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from terrarium.hyperbolic.options import LossOptions

if TYPE_CHECKING:
    from torch import Tensor

NEGLIGIBLE = 1e-9
"""A negative with a smaller share of the negatives' softmax counts as absent, and a pair that leaves its negatives a
smaller share than that does not push; the rows of neither are touched."""


class PairBatch(NamedTuple):
    """A batch of B pairs with K negatives each, as rows of a table of points.

    Attributes:
        ancestor, descendant: (B,) rows.
        negatives: (B, K) rows.
        present: (B, K) which negatives count.
        margin: (B,) margins, for margin_ranking.
        wanted_positive: (B,) wanted d(u, a), for fine_tune; 0 for none.
        wanted_negative: (B, K) wanted d(u, v_j), for fine_tune.
    """

    ancestor: Tensor
    descendant: Tensor
    negatives: Tensor
    present: Tensor
    margin: Tensor
    wanted_positive: Tensor
    wanted_negative: Tensor


def distance(r1: Tensor, u1: Tensor, r2: Tensor, u2: Tensor) -> Tensor:
    """Return distances of points in polar coordinates, see `geometry.ball.distance`; broadcasts over leading axes."""
    import torch

    chord = (u1 - u2).square().sum(-1)
    h = 2.0 * torch.sinh((r1 - r2) / 2.0).square() + 0.5 * torch.sinh(r1) * torch.sinh(r2) * chord
    return torch.log1p(h + torch.sqrt((h * (h + 2.0)).clamp_min(1e-24)))


def pair_losses(loss: LossOptions, radius: Tensor, direction: Tensor, batch: PairBatch) -> tuple[Tensor, Tensor]:
    """Return the loss of each pair, and which negatives it pushes.

    Args:
        loss: name, temperature and weights.
        radius, direction: (R,) radii and (R, d) unit directions of the points.
        batch: rows of these points.

    Returns:
        (B,) losses, 0 for a pair without negatives; (B, K) mask of the negatives that get a gradient: those within
        the margin except the positive, or with a softmax share that is not negligible; for fine_tune all.
    """
    import torch

    negatives, present = batch.negatives, batch.present
    is_ranking = loss.name == "margin_ranking"
    anchor, positive = (batch.ancestor, batch.descendant) if is_ranking else (batch.descendant, batch.ancestor)
    near = distance(radius[anchor], direction[anchor], radius[positive], direction[positive])
    far = distance(radius[anchor, None], direction[anchor, None], radius[negatives], direction[negatives])
    count = present.sum(1)
    if is_ranking:
        hinge = ((near + batch.margin)[:, None] - far).clamp_min(0.0) * present
        return hinge.sum(1) / count.clamp_min(1), (hinge > 0.0) & (negatives != positive[:, None])
    distances = near, far
    if loss.name != "distance_softmax":
        near = near + radius[positive] - radius[anchor]
        far = far + radius[negatives] - radius[anchor, None]
    inverse_temperature = 1.0 / loss.temperature
    score = (-inverse_temperature * far).masked_fill(~present, -torch.inf)
    whole = torch.logsumexp(score, dim=1, keepdim=True)
    counted = (score - torch.where(count[:, None] > 0, whole, 0.0)).detach().exp() >= NEGLIGIBLE
    behind = inverse_temperature * near + torch.logsumexp(score.masked_fill(~counted, -torch.inf), dim=1)
    pushing = torch.sigmoid(behind.detach()) >= NEGLIGIBLE
    losses = torch.nn.functional.softplus(torch.where(pushing, behind, behind.detach()))
    losses = losses + loss.positive_weight * near
    if loss.name != "fine_tune" or loss.distortion_weight == 0.0:
        return losses.masked_fill(count == 0, 0.0), counted & pushing[:, None]
    losses = losses + loss.distortion_weight * _distortion(*distances, batch)
    return losses.masked_fill(count == 0, 0.0), present


def _distortion(near: Tensor, far: Tensor, batch: PairBatch) -> Tensor:
    """Return (B,) squared relative errors of near (B,), where one is wanted, plus the mean of those of far (B, K)."""
    import torch

    wanted, present = batch.wanted_positive, batch.present
    own = (near / torch.where(wanted > 0.0, wanted, 1.0) - 1.0).square() * (wanted > 0.0)
    others = (far / torch.where(present, batch.wanted_negative, 1.0) - 1.0).square() * present
    return own + others.sum(1) / present.sum(1).clamp_min(1)
