"""Points for hosts, traits or annotations in the space of a hierarchy.

A target o has K points p_ok. The score of node v is

    s(v, o) = b_o + log sum_k exp(a_ok - d(v, p_ok) / T_o),

with a bias, weights and a temperature of its own, so that a host of several unrelated clades has a point near each. The
loss is the binary cross entropy of all targets of the training nodes. Points start at training nodes that have the
target, far from each other. With a `hierarchy_weight` the nodes move too; the weight times the mean squared relative
change of distances, over random edges and random pairs, holds the hierarchy. Points and nodes are kept as coordinates
in the tangent space at the origin, radius times direction. The Euclidean variant is the same model with the distances
of these coordinates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.associations.targets import Targets, rank_targets
from terrarium.hyperbolic.geometry.ball import Layout, pairwise
from terrarium.hyperbolic.options import AssociationOptions

if TYPE_CHECKING:
    from torch import Tensor

_HELD_PAIRS = 4096
_SMALLEST = 1e-6
_CHECK_EVERY = 5


class FittedTargets(NamedTuple):
    """Learned points and what they predict.

    Attributes:
        points: (T, K, d) coordinates of the points in the tangent space at the origin.
        nodes: the layout of the nodes, changed if the hierarchy was trained too.
        scores: (N, T) scores of all nodes.
        epochs: number of the best epoch.
    """

    points: Float64Array
    nodes: Layout
    scores: Float64Array
    epochs: int


def fit_targets(
    tree: Hierarchy, layout: Layout, targets: Targets, options: AssociationOptions, *, is_hyperbolic: bool = True
) -> FittedTargets:
    """Learn the points of targets from the training nodes; the epoch with the best validation MRR is kept.

    Args:
        tree: N nodes.
        layout: their points.
        targets: T targets.
        options: points per target, weights, optimizer and seed.
        is_hyperbolic: False measures Euclidean distances of the same coordinates instead.
    """
    import torch

    rng = np.random.default_rng(options.seed)
    distance = _hyperbolic if is_hyperbolic else _euclidean
    start = torch.from_numpy(layout.radius[:, None] * layout.direction)
    nodes = start.clone().requires_grad_(options.hierarchy_weight > 0.0)
    count, train = len(targets.names), targets.nodes["train"]
    points = (
        start[torch.from_numpy(_initial_rows(layout, targets, options.points_per_target, rng))].clone().requires_grad_()
    )
    bias = torch.zeros(count, dtype=torch.float64, requires_grad=True)
    weights = torch.zeros((count, options.points_per_target), dtype=torch.float64, requires_grad=True)
    sharpness = torch.zeros(count, dtype=torch.float64, requires_grad=True)
    trained = [points, bias, weights, sharpness, *([nodes] if options.hierarchy_weight > 0.0 else [])]
    optimizer = torch.optim.Adam(trained, lr=options.learning_rate)
    answers = torch.from_numpy(targets.is_true.astype(np.float64))

    def score(rows: Int64Array) -> Tensor:
        apart = distance(nodes[torch.from_numpy(rows)][:, None, None], points[None])
        return bias + torch.logsumexp(weights - torch.exp(sharpness)[:, None] * apart, -1)

    best, kept = -1.0, _keep(nodes, points, score, tree, options.batch_size, 0)
    for epoch in range(1, options.max_epochs + 1):
        order = rng.permutation(train)
        for first in range(0, len(order), options.batch_size):
            rows = order[first : first + options.batch_size]
            loss = torch.nn.functional.binary_cross_entropy_with_logits(score(rows), answers[torch.from_numpy(rows)])
            if options.hierarchy_weight > 0.0:
                loss = loss + options.hierarchy_weight * _change(tree, distance, start, nodes, rng)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        if epoch % _CHECK_EVERY == 0 or epoch == options.max_epochs:
            with torch.no_grad():
                validation = score(targets.nodes["validation"]).numpy()
            value = rank_targets(targets, targets.nodes["validation"], validation)["mrr"]
            if value > best:
                best, kept = value, _keep(nodes, points, score, tree, options.batch_size, epoch)
    return kept


def _initial_rows(layout: Layout, targets: Targets, points: int, rng: np.random.Generator) -> Int64Array:
    """Return (T, K) training nodes that have the target, or any if none has, spread out as by k-means++.

    Each next node is drawn with a probability proportional to its squared distance from the nearest one before.
    """
    train = targets.nodes["train"]
    rows = np.empty((len(targets.names), points), np.int64)
    for target in range(len(rows)):
        positive = train[targets.is_true[train, target]]
        candidates = positive if len(positive) else train
        nearest: Float64Array = np.ones(len(candidates))
        for k in range(points):
            total = nearest.sum()
            row = rng.choice(candidates, p=nearest / total if total > 0.0 else None)
            rows[target, k] = row
            apart = np.square(pairwise(layout, np.full(len(candidates), row), candidates))
            nearest = apart if k == 0 else np.minimum(nearest, apart)
    return rows


def _keep(
    nodes: Tensor, points: Tensor, score: Callable[[Int64Array], Tensor], tree: Hierarchy, batch: int, epoch: int
) -> FittedTargets:
    import torch

    with torch.no_grad():
        everyone = np.arange(len(tree))
        scores = torch.cat([score(everyone[first : first + batch]) for first in range(0, len(tree), batch)]).numpy()
        coordinates = nodes.detach().numpy().copy()
    radius = np.linalg.norm(coordinates, axis=1)
    direction = np.zeros_like(coordinates)
    direction[:, 0] = 1.0
    np.divide(coordinates, radius[:, None], out=direction, where=radius[:, None] > 0.0)
    return FittedTargets(points.detach().numpy().copy(), Layout(radius, direction), scores, epoch)


def _change(
    tree: Hierarchy,
    distance: Callable[[Tensor, Tensor], Tensor],
    start: Tensor,
    nodes: Tensor,
    rng: np.random.Generator,
) -> Tensor:
    """Return the mean squared relative change of distances since the start, over edges and over random pairs."""
    import torch

    child = rng.integers(1, len(tree), _HELD_PAIRS)
    first = torch.from_numpy(np.concatenate([child, rng.integers(0, len(tree), _HELD_PAIRS)]))
    second = torch.from_numpy(np.concatenate([tree.parent[child], rng.integers(0, len(tree), _HELD_PAIRS)]))
    before = distance(start[first], start[second])
    is_apart = before > _SMALLEST
    now = distance(nodes[first[is_apart]], nodes[second[is_apart]])
    change: Tensor = torch.square(now / before[is_apart] - 1.0).mean()
    return change


def _hyperbolic(a: Tensor, b: Tensor) -> Tensor:
    """Return hyperbolic distances of tangent coordinates, with finite gradients at equal points."""
    import torch

    ra, rb = (torch.linalg.vector_norm(x, dim=-1).clamp_min(_SMALLEST) for x in (a, b))
    chord = torch.square(a / ra[..., None] - b / rb[..., None]).sum(-1)
    h = 2.0 * torch.square(torch.sinh((ra - rb) / 2.0)) + 0.5 * torch.sinh(ra) * torch.sinh(rb) * chord
    return torch.log1p(h + torch.sqrt(h * (h + 2.0) + _SMALLEST**2))


def _euclidean(a: Tensor, b: Tensor) -> Tensor:
    import torch

    return torch.sqrt(torch.square(a - b).sum(-1) + _SMALLEST**2)
