"""The losses, stated once in PyTorch: what the compiled kernel is tested against, and what GPUs run.

For a pair of an ancestor a and a descendant u with negatives v_j, d the hyperbolic distance and r the distance from the
origin:

- margin_ranking: mean_j max(0, d(a, u) - d(a, v_j) + margin);
- distance_softmax: -log softmax of -d(u, a) / T among the -d(u, v_j) / T (Nickel and Kiela 2017);
- detour: the same with the detour r_v + d(u, v) - r_u in place of d, which is 2 (r_v - Gromov product of u and v at
  the origin) and 0 for v on the geodesic from the origin to u;
- joint: detour, plus `edge_weight` times the edge term of u and its parent p, plus `stress_weight` times the stress of
  u. The edge term is the distance_softmax loss of p seen from u among edge negatives of u, over the number of u's
  neighbours, and the same of u seen from p. The stress is the mean over uniform negatives of
  ((d(u, v_j) - wanted) / spread)^2, with wanted distances that are linear in the path length, and their standard
  deviation `spread`.

The softmax losses add `positive_weight` times d(u, a) or the detour of a. All pairs of a descendant share its
negatives, its edge term and its stress.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from terrarium.hyperbolic.options import LossOptions

if TYPE_CHECKING:
    from torch import Tensor

NEGLIGIBLE = 1e-9
"""A negative with a smaller share of the negatives' softmax counts as absent, and a pair that leaves its negatives a
smaller share than that does not push."""


class JointBatch(NamedTuple):
    """What the loss joint reads of G groups; side 0 of an edge is the descendant, side 1 its parent.

    Attributes:
        parent: (G,) rows.
        walks: (2, G, M) rows of edge negatives by side.
        walk_present: (2, G, M) which of them count.
        negative_present: (2, G, K) which of the groups' negatives are edge negatives of each side.
        neighbours: (2, G) number of parents and children of each side.
        wanted: (G, K) wanted distances of the negatives.
        uniform: (G, K) which negatives are drawn uniformly, and so count in the stress.
        spread: () standard deviation of the wanted distances.
    """

    parent: Tensor
    walks: Tensor
    walk_present: Tensor
    negative_present: Tensor
    neighbours: Tensor
    wanted: Tensor
    uniform: Tensor
    spread: Tensor


class PairBatch(NamedTuple):
    """A batch of B pairs in G groups with K negatives each, as rows of a table of points.

    Attributes:
        ancestor, descendant: (B,) rows.
        group: (B,) group of each pair: the pairs of one descendant, or for margin_ranking each pair.
        anchor: (G,) rows from which negatives are seen: descendants, for margin_ranking ancestors.
        negatives: (G, K) rows.
        present: (G, K) which negatives count.
        margin: (B,) margins, for margin_ranking.
        joint: for the loss joint, else None.
    """

    ancestor: Tensor
    descendant: Tensor
    group: Tensor
    anchor: Tensor
    negatives: Tensor
    present: Tensor
    margin: Tensor
    joint: JointBatch | None = None


class Table(NamedTuple):
    """Points in polar coordinates: (R,) radii and (R, d) unit directions."""

    radius: Tensor
    direction: Tensor

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the distances of rows; broadcasts."""
        return distance(self.radius[a], self.direction[a], self.radius[b], self.direction[b])


def distance(r1: Tensor, u1: Tensor, r2: Tensor, u2: Tensor) -> Tensor:
    """Return distances of points in polar coordinates, see `geometry.ball.distance`; broadcasts over leading axes."""
    import torch

    chord = (u1 - u2).square().sum(-1)
    h = 2.0 * torch.sinh((r1 - r2) / 2.0).square() + 0.5 * torch.sinh(r1) * torch.sinh(r2) * chord
    return torch.log1p(h + torch.sqrt((h * (h + 2.0)).clamp_min(1e-24)))


def pair_losses(loss: LossOptions, table: Table, batch: PairBatch) -> Tensor:
    """Return the (B,) losses of the pairs, 0 for a pair without negatives.

    Args:
        loss: name, temperature and weights.
        table: the points.
        batch: rows of these points.
    """
    group, present, radius = batch.group, batch.present, table.radius
    count = present.sum(1)
    near = table.distance(batch.ancestor, batch.descendant)
    far = table.distance(batch.anchor[:, None], batch.negatives)
    if loss.name == "margin_ranking":
        hinge = ((near + batch.margin)[:, None] - far[group]).clamp_min(0.0) * present[group]
        return hinge.sum(1) / count[group].clamp_min(1)
    far_distance = far
    if loss.name != "distance_softmax":
        near = near + radius[batch.ancestor] - radius[batch.descendant]
        far = far + radius[batch.negatives] - radius[batch.anchor, None]
    losses = softmax_losses(near, far, present, group, loss.temperature) + loss.positive_weight * near
    if batch.joint is not None:
        extra = loss.edge_weight * _edge_losses(loss, table, batch, batch.joint, far_distance)
        losses = losses + (extra + loss.stress_weight * _stress(far_distance, batch.joint))[group]
    return losses.masked_fill(count[group] == 0, 0.0)


def softmax_losses(near: Tensor, far: Tensor, present: Tensor, group: Tensor, temperature: float) -> Tensor:
    """Return -log softmax of each positive among the negatives of its group.

    Args:
        near: (B,) costs of the positives.
        far: (G, K) costs of the negatives.
        present: (G, K) which negatives count.
        group: (B,) group of each positive.
        temperature: divides the costs.

    Returns:
        (B,) losses; 0 where no negative is present.
    """
    import torch

    score = (-far / temperature).masked_fill(~present, -torch.inf)
    whole = torch.logsumexp(score, dim=1, keepdim=True)
    is_empty = ~present.any(1)
    counted = (score - whole.masked_fill(is_empty[:, None], 0.0)).detach().exp() >= NEGLIGIBLE
    kept = score.masked_fill(~counted, -torch.inf).masked_fill(is_empty[:, None], 0.0)
    behind = near / temperature + torch.logsumexp(kept, dim=1)[group]
    pushing = torch.sigmoid(behind.detach()) >= NEGLIGIBLE
    losses = torch.nn.functional.softplus(torch.where(pushing, behind, behind.detach()))
    return losses.masked_fill(is_empty[group], 0.0)


def _edge_losses(loss: LossOptions, table: Table, batch: PairBatch, joint: JointBatch, far: Tensor) -> Tensor:
    """Return the (G,) edge terms; `far` (G, K) are the distances of the anchors from their negatives."""
    import torch

    near = table.distance(batch.anchor, joint.parent)
    each = torch.arange(len(near), device=near.device)
    from_parent = table.distance(joint.parent[:, None], batch.negatives)
    total = torch.zeros_like(near)
    for side, (row, others) in enumerate(((batch.anchor, far), (joint.parent, from_parent))):
        costs = torch.cat([table.distance(row[:, None], joint.walks[side]), others], dim=1)
        present = torch.cat([joint.walk_present[side], joint.negative_present[side]], dim=1)
        losses = softmax_losses(near, costs, present, each, loss.temperature)
        total = total + losses / joint.neighbours[side]
    return total


def _stress(far: Tensor, joint: JointBatch) -> Tensor:
    """Return the (G,) mean squared errors of the distances `far` (G, K), over the squared spread."""
    off = (far - joint.wanted) / joint.spread
    squared = off.square().masked_fill(~joint.uniform, 0.0)
    return squared.sum(1) / joint.uniform.sum(1).clamp_min(1)
