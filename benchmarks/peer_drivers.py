"""Train one program on a closure for some CPU seconds: python -m benchmarks.peer_drivers SPEC."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import Layout, from_ball

WARM_PAIRS = 2048
START_WIDTH = 1e-3
"""Half width of the uniform start of the peers, as in Nickel and Kiela (2017)."""
_BALL_EPS = 1e-5
_ROOT_FLOOR = 1e-24


@dataclass(frozen=True)
class Spec:
    """What one process does.

    Attributes:
        program: a name of `PROGRAMS`.
        data: .npz file of id and parent.
        out: .npz file to write: pairs trained, CPU seconds, radius and direction.
        seconds: CPU seconds of training; set-up, compilation and calibration are not counted.
        negatives, batch, rate: of the peers; rate is the learning rate.
        options: changes to our training options.
        init: start of ours.
    """

    program: str
    data: str
    out: str
    seconds: float
    negatives: int = 50
    batch: int = 64
    rate: float = 0.0
    dim: int = 10
    seed: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    init: str = "inherited"


@dataclass(frozen=True)
class Trained:
    """Pairs that were trained, CPU seconds and the layout."""

    pairs: int
    cpu: float
    layout: Layout


def gensim(spec: Spec, tree: Hierarchy) -> Trained:
    """Train gensim's PoincareModel, with its defaults except negatives, batch size and no burn-in."""
    from gensim.models.poincare import PoincareModel

    class Timed(PoincareModel):
        """A model that stops between two batches when the time is up."""

        deadline = np.inf
        pairs = 0

        def _train_on_batch(self, relations: Any, check_gradients: bool = False) -> Any:
            if time.process_time() > self.deadline:
                raise _Enough
            self.pairs += len(relations)
            return super()._train_on_batch(relations, check_gradients)

    ancestor, descendant, _ = tree.closure()
    relations = [(str(d), str(a)) for d, a in zip(descendant.tolist(), ancestor.tolist(), strict=True)]
    model = Timed(relations, size=spec.dim, alpha=spec.rate, negative=spec.negatives, burn_in=0, seed=spec.seed)
    start = time.process_time()
    model.deadline = start + spec.seconds
    with suppress(_Enough):
        model.train(epochs=sys.maxsize, batch_size=spec.batch, print_every=10**9)
    cpu = time.process_time() - start
    return Trained(
        model.pairs, cpu, from_ball(model.kv.vectors[[model.kv.key_to_index[str(i)] for i in range(len(tree))]])
    )


def geoopt_rsgd(spec: Spec, tree: Hierarchy) -> Trained:
    """Train in geoopt's ball with its sparse Riemannian SGD."""
    return _geoopt(spec, tree, "SparseRiemannianSGD")


def geoopt_radam(spec: Spec, tree: Hierarchy) -> Trained:
    """Train in geoopt's ball with its sparse Riemannian Adam."""
    return _geoopt(spec, tree, "SparseRiemannianAdam")


def torch_autograd(spec: Spec, tree: Hierarchy) -> Trained:
    """Train by PyTorch autograd with Riemannian SGD (Nickel and Kiela 2017) on the rows of the batch."""
    points = _start(spec, tree)

    def step(rows: Tensor, related: Tensor) -> None:
        named, place = torch.unique(rows, return_inverse=True)
        x = points[named].requires_grad_()
        taken = x[place]
        softmax_loss(distance(taken[:, :1], taken[:, 1:]), related).backward()
        with torch.no_grad():
            x -= spec.rate * (1.0 - x.square().sum(1, keepdim=True)).square() / 4.0 * x.grad
            norm = x.norm(dim=1, keepdim=True)
            points[named] = torch.where(norm > 1.0 - _BALL_EPS, x * (1.0 - _BALL_EPS) / norm, x)

    pairs, cpu = _run(spec, tree, step)
    return Trained(pairs, cpu, from_ball(points.numpy()))


def terrarium(spec: Spec, tree: Hierarchy) -> Trained:
    """Train Terrarium for as many whole epochs as fit the time, at least one."""
    problem = our_problem(spec, tree, epochs=1)
    _compile(problem)
    seconds = _epochs(problem)[1]
    epochs = max(1, round(spec.seconds / seconds))
    problem = our_problem(spec, tree, epochs)
    layout, cpu = _epochs(problem)
    return Trained(epochs * len(problem.pair_sampler().epoch(1, problem.epoch_rng(1))), cpu, layout)


def our_problem(spec: Spec, tree: Hierarchy, epochs: int) -> Any:
    """Return a training with the default options and the changes of a spec."""
    from benchmarks.checklist import problem_of
    from benchmarks.parameters import options_of, with_options
    from terrarium.hyperbolic.options import ModelOptions

    defaults = options_of("recipes/hyperbolic/prescribed_norms")
    model = defaults.model.model_dump() | {"dim": spec.dim, "init": spec.init, "seed": spec.seed}
    given = {"max_epochs": epochs, "device": "cpu", "threads": 1, "seed": spec.seed}
    blocks = {name: block for name, block in spec.options.items() if isinstance(block, dict)}
    given |= {name: value for name, value in spec.options.items() if name not in blocks}
    training = with_options(defaults.training.model_copy(update=given), **blocks)
    return problem_of(
        tree, defaults.model_copy(update={"model": ModelOptions.model_validate(model), "training": training})
    )


def distance(u: Tensor, v: Tensor) -> Tensor:
    """Return arcosh(1 + h), h = 2 |u - v|^2 / ((1 - |u|^2) (1 - |v|^2)), as log1p(h + sqrt(h (h + 2))); broadcasts."""
    h = 2.0 * (u - v).square().sum(-1) / ((1.0 - u.square().sum(-1)) * (1.0 - v.square().sum(-1)))
    return torch.log1p(h + torch.sqrt(h * (h + 2.0) + _ROOT_FLOOR))


def softmax_loss(distances: Tensor, related: Tensor) -> Tensor:
    """Return the sum of -log softmax(-d) of the first column; (B, K + 1) distances, (B, K) negatives to leave out."""
    left_out = torch.nn.functional.pad(related, (1, 0), value=False)
    scores = (-distances).masked_fill(left_out, -torch.inf)
    return torch.nn.functional.cross_entropy(scores, torch.zeros(len(scores), dtype=torch.long), reduction="sum")


def batches(spec: Spec, tree: Hierarchy) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (B, K + 2) rows (anchor, ancestor, uniform negatives) and (B, K) negatives to leave out, without end."""
    ancestor, descendant, _ = (torch.from_numpy(column.astype(np.int64)) for column in tree.closure())
    end = torch.from_numpy(tree.end.astype(np.int64))
    random = torch.Generator().manual_seed(spec.seed)
    while True:
        for pairs in torch.randperm(len(ancestor), generator=random).split(spec.batch):
            anchor = descendant[pairs, None]
            negatives = torch.randint(len(tree), (len(pairs), spec.negatives), generator=random)
            related = (negatives <= anchor) & (anchor < end[negatives])
            yield torch.cat([anchor, ancestor[pairs, None], negatives], dim=1), related


def main(text: str) -> None:
    """Train as a spec in JSON says and save the result to its file."""
    spec = Spec(**json.loads(text))
    torch.set_num_threads(1)
    torch.manual_seed(spec.seed)
    with np.load(spec.data) as data:
        tree = Hierarchy.from_parents(data["id"], data["parent"])
    done = PROGRAMS[spec.program](spec, tree)
    layout = done.layout
    np.savez(spec.out, pairs=done.pairs, cpu=done.cpu, radius=layout.radius, direction=layout.direction)


def _geoopt(spec: Spec, tree: Hierarchy, optimiser: str) -> Trained:
    import geoopt

    ball = geoopt.PoincareBall()
    table = torch.nn.Embedding(len(tree), spec.dim, sparse=True, dtype=torch.float64)
    table.weight = geoopt.ManifoldParameter(_start(spec, tree), manifold=ball)
    steps = getattr(geoopt.optim, optimiser)([table.weight], lr=spec.rate)

    def step(rows: Tensor, related: Tensor) -> None:
        steps.zero_grad()
        points = table(rows)
        softmax_loss(ball.dist(points[:, :1], points[:, 1:]), related).backward()
        steps.step()

    pairs, cpu = _run(spec, tree, step)
    return Trained(pairs, cpu, from_ball(table.weight.detach().numpy()))


def _start(spec: Spec, tree: Hierarchy) -> Tensor:
    return (torch.rand(len(tree), spec.dim, dtype=torch.float64) * 2.0 - 1.0) * START_WIDTH


def _run(spec: Spec, tree: Hierarchy, step: Callable[[Tensor, Tensor], None]) -> tuple[int, float]:
    """Train on batches until the time is up; return pairs and CPU seconds."""
    pairs, source, start = 0, batches(spec, tree), time.process_time()
    while time.process_time() - start < spec.seconds:
        rows, related = next(source)
        step(rows, related)
        pairs += len(rows)
    return pairs, time.process_time() - start


def _epochs(problem: Any) -> tuple[Layout, float]:
    """Train all epochs of a problem; return the layout and CPU seconds."""
    from terrarium.hyperbolic.training.factory import make_trainer
    from terrarium.hyperbolic.training.weights import unpack_weights

    trainer = make_trainer(problem)
    start = time.process_time()
    for epoch in range(1, problem.options.max_epochs + 1):
        trainer.epoch(epoch)
    cpu = time.process_time() - start
    return unpack_weights(trainer.weights()), cpu


def _compile(problem: Any) -> None:
    """Train on a few pairs, so that compilation is not timed."""
    from terrarium.hyperbolic.training.sampling.pairs import PairSampler

    order = problem.pair_sampler().epoch(1, problem.epoch_rng(1))[:WARM_PAIRS]
    with patch.object(PairSampler, "epoch", return_value=order):
        _epochs(problem)


class _Enough(Exception):
    """The time is up."""


PROGRAMS: dict[str, Callable[[Spec, Hierarchy], Trained]] = {
    "gensim": gensim,
    "geoopt_rsgd": geoopt_rsgd,
    "geoopt_radam": geoopt_radam,
    "torch": torch_autograd,
    "terrarium": terrarium,
}

if __name__ == "__main__":
    main(sys.argv[1])
