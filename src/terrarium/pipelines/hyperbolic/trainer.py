"""What `training.fit` trains: the table of points, on the CPU by the compiled kernel, elsewhere by PyTorch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terrarium.hierarchy import Hierarchy
from terrarium.pipelines.hyperbolic.correlation import pearson
from terrarium.pipelines.hyperbolic.geometry import Floats, Layout, norm_of_radius
from terrarium.pipelines.hyperbolic.options import TrainingOptions
from terrarium.training.device import resolve_device
from terrarium.training.fit import Trainable
from terrarium.training.state import State


@dataclass(frozen=True, eq=False)
class Problem:
    """Everything that decides a training.

    Attributes:
        tree: N nodes.
        ancestor, descendant, difference: (P,) rows of the pairs and their depth differences.
        target: (N,) target radii.
        start: where the points begin.
        max_radius: largest radius.
        options: objective and optimiser.
    """

    tree: Hierarchy
    ancestor: NDArray[np.int32]
    descendant: NDArray[np.int32]
    difference: NDArray[np.int16]
    target: Floats
    start: Layout
    max_radius: float
    options: TrainingOptions

    @property
    def weight(self) -> Floats:
        """(P,) weights of the pairs."""
        if self.options.pair_weights == "uniform":
            return np.ones(len(self.difference))
        weight: Floats = np.sqrt(self.difference + 1.0)
        return weight

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Positions of the pairs in the order of one epoch; depends on seed and epoch alone.

        For closure and slack the pairs of a descendant follow each other, since they share their negatives.
        """
        rng = np.random.default_rng([self.options.seed, epoch])
        if self.options.objective == "ranking":
            return rng.permutation(len(self.ancestor))
        place = rng.permutation(len(self.tree))
        return np.argsort(place[self.descendant], kind="stable")

    def learning_rate(self, epoch: int) -> float:
        """Geometric from the first epoch's rate to the last one's."""
        first, last = self.options.learning_rate, self.options.learning_rate_end
        share = (epoch - 1) / max(self.options.max_epochs - 1, 1)
        return float(first * (last / first) ** share)


def make_trainer(problem: Problem) -> Trainable:
    """The trainer for the device that the options name.

    Raises:
        DeviceError: a device that is not there or lacks float64.
    """
    device = resolve_device(problem.options.device)
    if device == "cpu":
        from terrarium.pipelines.hyperbolic.kernel_trainer import KernelTrainer

        return KernelTrainer(problem)
    from terrarium.pipelines.hyperbolic.torch_trainer import TorchTrainer

    return TorchTrainer(problem, device)


def pack_weights(tree: Hierarchy, layout: Layout) -> State:
    """A layout with the ids of its rows and the fingerprint of its tree."""
    tensors = {"id": tree.ids, "radius": layout.radius, "direction": layout.direction}
    return State(tensors, {"taxa": tree.fingerprint(), "root": int(tree.ids[0]), "count": len(tree)})


def unpack_weights(weights: State) -> Layout:
    """The layout of kept weights."""
    return Layout(radius=weights.tensors["radius"], direction=weights.tensors["direction"])


def diagnostics(problem: Problem, layout: Layout, largest: float, beyond: int, moved: int) -> dict[str, float]:
    """What the history keeps of the table after an epoch.

    The projection is the limit of the radius: `largest` is the largest radius that a step reached before it, `beyond`
    how many of the `moved` steps of rows would have passed it.
    """
    norm = norm_of_radius(layout.radius)
    return {
        "depth_norm_pearson": pearson(problem.tree.depth, norm),
        "share_outside": float(np.mean(norm >= 1.0)),
        "max_norm": float(norm.max()),
        "min_norm": float(norm.min()),
        "mean_norm": float(norm.mean()),
        "max_radius": float(layout.radius.max()),
        "max_norm_before_projection": float(max(norm_of_radius(largest), norm.max())),
        "share_outside_before_projection": beyond / max(moved, 1),
        "rows_per_batch": moved / -(-len(problem.ancestor) // problem.options.batch_size),
    }
