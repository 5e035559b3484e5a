"""The eight-item checklist of "Taxonomy optimizations" (docs/reference-recipes.md), each item tested by running it."""

import ast
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch

import terrarium
from benchmarks.parameters import options_of
from benchmarks.reference_forms import radius_penalty_loop
from terrarium.common.statistics import pearson
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import norm_of_radius, to_ball
from terrarium.hyperbolic.layouts.initial import initial_layout
from terrarium.hyperbolic.layouts.targets import target_radii
from terrarium.hyperbolic.legacy.trainer import LegacyAdamTrainer
from terrarium.hyperbolic.options import Options
from terrarium.hyperbolic.training.diagnostics import training_pairs
from terrarium.hyperbolic.training.problem import Problem
from terrarium.hyperbolic.training.sampling.negatives import sample_batch, sampler_settings
from terrarium.hyperbolic.training.sampling.pairs import PairSampler
from terrarium.hyperbolic.training.sampling.random_stream import Stream
from terrarium.hyperbolic.training.sampling.tree_arrays import tree_arrays
from terrarium.sources.taxonomies.ncbi_package import NcbiPackage
from terrarium.training.checkpointing.state import State
from terrarium.training.checkpointing.store import TrainingStore
from terrarium.training.fit import fit
from terrarium.training.torch.device import resolve_device

RECIPE, PRIMATES = "recipes/hyperbolic/v1", 9443
FASTER = 20.0
"""A batch must be at least this many times faster per row than a loop over the radius penalty; it is hundreds."""
LOOPED_ROWS = 2000


def checklist() -> Iterator[tuple[str, bool, str]]:
    """Yield each item, whether the recipe v1 passes it on primates, and how it was tested."""
    options = options_of(RECIPE)
    table = NcbiPackage().clade(PRIMATES)
    problem = problem_of(Hierarchy.from_parents(table["id"], table["parent"]), options)
    yield (
        "CPU device (not MPS)",
        runs_on_the_cpu(options),
        "device `auto` with MPS but no CUDA, and the device of the recipe",
    )
    yield (
        "vectorized radius penalty",
        penalizes_fast(options),
        f"a whole batch takes less than 1/{FASTER:g} of the time of a loop over its rows",
    )
    yield (
        "selective projection",
        projects_named_rows_alone(problem),
        "only the rows of the last batch are certain to be inside the ball",
    )
    yield "efficient tensor creation", allocates_once(problem), "a long epoch allocates as often as a short one"
    yield "no loop variable shadowing", not shadowed_loops(), "all loops in the package"
    yield "hard negatives", draws_same_depth(problem), "all at the depth of the descendant if enough taxa are there"
    yield (
        "depth-aware initialisation",
        starts_at_targets(problem),
        "norms equal the targets; their correlation with depth is 1",
    )
    yield (
        "early stopping (patience 3)",
        stops_after(options) == 4,
        "with a loss that rises after epoch 1, training stops after epoch 4",
    )


def problem_of(tree: Hierarchy, options: Options) -> Problem:
    """Return the training of a recipe on a tree."""
    target = target_radii(tree.depth, options.features)
    initial = initial_layout(tree, target, options.model, options.training.loss.name)
    return Problem(tree, *tree.closure(), target, initial, options.model.max_radius, options.training)


def runs_on_the_cpu(options: Options) -> bool:
    """Return whether neither the recipe nor `auto` would take an Apple GPU."""
    with (
        patch("torch.backends.mps.is_available", return_value=True),
        patch("torch.cuda.is_available", return_value=False),
    ):
        return {resolve_device("auto"), resolve_device(options.training.device)} == {"cpu"}


def penalizes_fast(options: Options) -> bool:
    """Return whether a batch with the radius penalty over 100,000 rows is far faster than a loop over rows."""
    parents = np.random.default_rng(0).integers(0, np.maximum(np.arange(100_000), 1))
    parents[0] = -1
    problem = problem_of(Hierarchy.from_parents(np.arange(len(parents)), parents), options)
    trainer, batches = LegacyAdamTrainer(problem), 30
    order = order_of(problem)[: batches * options.training.batch_size]
    with patch.object(PairSampler, "epoch", return_value=order):
        trainer.epoch(1)
        start = time.process_time()
        trainer.epoch(2)
    batch = (time.process_time() - start) / batches
    points = torch.from_numpy(to_ball(problem.initial)[:LOOPED_ROWS])
    start = time.process_time()
    radius_penalty_loop(points, dict(enumerate(problem.tree.depth[:LOOPED_ROWS].tolist())), problem.tree.max_depth)
    return FASTER * batch / len(parents) < (time.process_time() - start) / LOOPED_ROWS


def projects_named_rows_alone(problem: Problem) -> bool:
    """Return whether, after an epoch, the rows of the last batch are inside the ball and some other row is not."""
    trainer = LegacyAdamTrainer(problem)
    trainer.epoch(1)
    norm = trainer.weights().tensors["norm"]
    options, order = problem.options, order_of(problem)
    last = order[-(len(order) % options.batch_size or options.batch_size) :]
    drawn, _ = negatives(problem, last)
    named = np.unique(np.concatenate([problem.ancestor[last], problem.descendant[last], drawn.ravel()]))
    return bool(norm[named].max() < 1.0 <= norm.max())


def allocates_once(problem: Problem) -> bool:
    """Return whether the compiled epoch allocates as often for two batches as for all of them."""
    from numba.core.runtime import _nrt_python, rtsys

    _nrt_python.memsys_enable_stats()
    trainer, whole = LegacyAdamTrainer(problem), order_of(problem)
    counts = []
    for order in (whole[:128], whole[:128], whole):
        with (
            patch.object(PairSampler, "epoch", return_value=order),
            patch("terrarium.hyperbolic.legacy.trainer.false_negative_fraction", return_value=0.0),
        ):
            before = rtsys.get_allocation_stats().alloc
            trainer.epoch(1)
            counts.append(rtsys.get_allocation_stats().alloc - before)
    return counts[1] == counts[2] > 0


def shadowed_loops() -> list[str]:
    """Return the places in the package where a loop reuses the variable of an enclosing loop."""
    found = []
    for path in sorted(Path(terrarium.__file__).parent.rglob("*.py")):
        for outer in (
            node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.For)
        ):
            inner = [node for part in outer.body for node in ast.walk(part) if isinstance(node, ast.For)]
            names = _names(outer.target)
            found += [f"{path}:{node.lineno}" for node in inner if names & _names(node.target)]
    return found


def draws_same_depth(problem: Problem) -> bool:
    """Return whether the negatives of a pair are all at the depth of the descendant if enough taxa are there."""
    drawn, counts = negatives(problem, order_of(problem)[:2000])
    pairs = order_of(problem)[:2000]
    depth = problem.tree.depth
    level = depth[problem.descendant[pairs]]
    enough = np.bincount(depth)[level] > problem.options.sampler.num_negatives
    same = depth[drawn] == level[:, None]
    return bool(enough.any() and (counts == problem.options.sampler.num_negatives).all() and same[enough].all())


def starts_at_targets(problem: Problem) -> bool:
    """Return whether the initial layout has the target norms and follows depth exactly."""
    norm = norm_of_radius(problem.initial.radius)
    exact = np.allclose(norm, norm_of_radius(problem.target))
    return bool(exact and pearson(problem.tree.depth, norm) > 1.0 - 1e-9)


def stops_after(options: Options) -> int:
    """Return the number of epochs after which training stops if only the first one is good."""
    with tempfile.TemporaryDirectory() as folder:
        return fit(_Worsening(), options=options.training, store=TrainingStore(folder), fingerprint={}).epochs


def negatives(problem: Problem, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the negatives of pairs in the first epoch, and how many each has."""
    settings, stream = sampler_settings(problem.options), Stream(problem.options.seed, 1)
    drawn = np.zeros((len(pairs), settings.num_negatives), np.int64)
    counts = sample_batch(tree_arrays(problem.tree), training_pairs(problem), pairs, settings, stream, drawn)
    return drawn, counts


def order_of(problem: Problem, epoch: int = 1) -> np.ndarray:
    """Return the positions of an epoch's pairs in the order of training."""
    return problem.pair_sampler().epoch(epoch, problem.epoch_rng(epoch))


def _names(target: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)} - {"_"}


class _Worsening:
    """A training whose loss rises after the first epoch."""

    def epoch(self, epoch: int) -> dict[str, float]:
        return {"loss": float(epoch), "items": 1.0}

    def state(self) -> State:
        return State({"x": np.zeros(1)})

    def load(self, state: State) -> None:
        pass

    def weights(self) -> State:
        return self.state()
