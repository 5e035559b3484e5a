"""The objectives, stated once in PyTorch: the truth that the compiled kernel is tested against, and the GPU's path.

For a pair of an ancestor a and a descendant p with negatives n_j, d the hyperbolic distance and r the radius:

- ranking: mean_j max(0, d(a, p) - d(a, n_j) + margin), n_j at the depth of p and never below a (the documents' loss);
- closure: -log softmax of -T d(p, a) among -T d(p, n_j), n_j neither above nor below p (Nickel and Kiela 2017);
- slack: the same with the slack r_v + d(p, v) - r_p in place of d, which is 0 for v on the geodesic from the origin to
  p; that is softplus(T slack(a) + logsumexp_j(-T slack(n_j)));
- fine-tune: slack, and `stretch` times the squared relative errors of d(p, a) and, on the mean, of the d(p, n_j)
  against the lengths of the paths in the tree.

To closure and slack, `pull` adds pull * d(p, a) or pull * slack(a). All pairs of a descendant share its negatives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from terrarium.hyperbolic.options import LossName

if TYPE_CHECKING:
    from torch import Tensor

NEGLIGIBLE = 1e-9
"""A negative with a smaller share of the negatives' softmax counts as absent, and a pair that leaves its negatives a
smaller share than that does not push; the rows of neither are touched."""


def distance(r1: Tensor, u1: Tensor, r2: Tensor, u2: Tensor) -> Tensor:
    """Distance in polar coordinates; see `geometry.distance`. Broadcasts over leading axes."""
    import torch

    chord = (u1 - u2).square().sum(-1)
    h = 2.0 * torch.sinh((r1 - r2) / 2.0).square() + 0.5 * torch.sinh(r1) * torch.sinh(r2) * chord
    return torch.log1p(h + torch.sqrt((h * (h + 2.0)).clamp_min(1e-24)))


def pair_losses(
    objective: LossName,
    radius: Tensor,
    direction: Tensor,
    ancestor: Tensor,
    descendant: Tensor,
    negatives: Tensor,
    present: Tensor,
    *,
    margin: Tensor | float,
    temperature: float,
    pull: float = 0.0,
    stretch: tuple[float, Tensor, Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Loss of each pair, and which negatives it pushes.

    Args:
        objective: which loss.
        radius, direction: (R,) and (R, d) points.
        ancestor, descendant: (B,) rows of the points.
        negatives: (B, K) rows; present: (B, K) which of them count.
        margin: of ranking, one or (B,). temperature, pull: of closure, slack and fine-tune.
        stretch: of fine-tune; strength, (B,) wanted d(p, a), 0 for none, and (B, K) wanted d(p, n_j).

    Returns:
        (B,) losses, 0 for a pair without negatives; (B, K) mask of the negatives that get a gradient: those within
        the margin but the positive itself, or with a softmax share that is not negligible; with stretch all.
    """
    import torch

    anchor, positive = (ancestor, descendant) if objective == "margin_ranking" else (descendant, ancestor)
    near = distance(radius[anchor], direction[anchor], radius[positive], direction[positive])
    far = distance(radius[anchor, None], direction[anchor, None], radius[negatives], direction[negatives])
    count = present.sum(1)
    if objective == "margin_ranking":
        wanted = near + margin
        hinge = (wanted[:, None] - far).clamp_min(0.0) * present
        return hinge.sum(1) / count.clamp_min(1), (hinge > 0.0) & (negatives != positive[:, None])
    apart = near, far
    if objective in {"detour", "fine_tune"}:
        near = near + radius[positive] - radius[anchor]
        far = far + radius[negatives] - radius[anchor, None]
    scale = 1.0 / temperature
    score = (-scale * far).masked_fill(~present, -torch.inf)
    whole = torch.logsumexp(score, dim=1, keepdim=True)
    counted = (score - torch.where(count[:, None] > 0, whole, 0.0)).detach().exp() >= NEGLIGIBLE
    behind = scale * near + torch.logsumexp(score.masked_fill(~counted, -torch.inf), dim=1)
    pushing = torch.sigmoid(behind.detach()) >= NEGLIGIBLE
    losses = torch.nn.functional.softplus(torch.where(pushing, behind, behind.detach())) + pull * near
    if stretch is None:
        return losses.masked_fill(count == 0, 0.0), counted & pushing[:, None]
    losses = losses + _stretch(*apart, present, stretch)
    return losses.masked_fill(count == 0, 0.0), present


def _stretch(near: Tensor, far: Tensor, present: Tensor, stretch: tuple[float, Tensor, Tensor]) -> Tensor:
    """(B,) squared relative errors of near (B,), where one is wanted, and on the mean of far (B, K)."""
    import torch

    strength, wanted_near, wanted_far = stretch
    own = (near / torch.where(wanted_near > 0.0, wanted_near, 1.0) - 1.0).square() * (wanted_near > 0.0)
    others = (far / torch.where(present, wanted_far, 1.0) - 1.0).square() * present
    return strength * (own + others.sum(1) / present.sum(1).clamp_min(1))
