"""The documents' checklist of eight items before a training, each judged by doing it."""

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
from benchmarks.reference_forms import regulariser_loop
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.evaluation.norms import pearson
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
"""How many times faster than a loop a row of the regulariser shall be, with the rest of the batch; it is hundreds."""
LOOPED_ROWS = 2000


def checklist() -> Iterator[tuple[str, bool, str]]:
    """Item, whether it holds, and how it was judged, for the recipe v1 on the primates."""
    options = options_of(RECIPE)
    table = NcbiPackage().clade(PRIMATES)
    problem = problem_of(Hierarchy.from_parents(table["id"], table["parent"]), options)
    yield "CPU device (not MPS)", runs_on_the_cpu(options), "`auto` with MPS present and no CUDA, and the recipe's own"
    yield (
        "vectorised regulariser",
        regularises_fast(options),
        f"a whole batch takes below 1/{FASTER:g} of what a loop over the rows takes",
    )
    yield "selective projection", projects_named_rows_alone(problem), "only the last batch's rows are sure to be inside"
    yield "efficient tensor creation", allocates_once(problem), "as many allocations in a long epoch as in a short one"
    yield "no loop variable shadowing", not shadowed_loops(), "all loops of the package"
    yield "hard negatives", draws_same_depth(problem), "all at the descendant's depth where the level has enough"
    yield "depth-aware initialisation", starts_at_targets(problem), "norms equal the targets, r = 1"
    yield "early stopping (patience 3)", stops_after(options) == 4, "a loss that rises after epoch 1 ends in epoch 4"


def problem_of(tree: Hierarchy, options: Options) -> Problem:
    """The recipe's training on a tree."""
    features, model = options.features, options.model
    target = target_radii(tree.depth, features.radius_schedule, features.root_norm, features.leaf_norm)
    start = initial_layout(tree, target, model.init, model.dim, model.init_noise, model.max_radius, model.seed)
    return Problem(tree, *tree.closure(), target, start, model.max_radius, options.training)


def runs_on_the_cpu(options: Options) -> bool:
    """Whether neither the recipe nor `auto` takes Apple's GPU, were there one."""
    with (
        patch("torch.backends.mps.is_available", return_value=True),
        patch("torch.cuda.is_available", return_value=False),
    ):
        return {resolve_device("auto"), resolve_device(options.training.device)} == {"cpu"}


def regularises_fast(options: Options) -> bool:
    """Whether a batch with the regulariser over 100,000 rows is far from a loop over rows."""
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
    regulariser_loop(points, dict(enumerate(problem.tree.depth[:LOOPED_ROWS].tolist())), problem.tree.max_depth)
    return FASTER * batch / len(parents) < (time.process_time() - start) / LOOPED_ROWS


def projects_named_rows_alone(problem: Problem) -> bool:
    """Whether after an epoch the rows of the last batch are inside and some other row is not."""
    trainer = LegacyAdamTrainer(problem)
    trainer.epoch(1)
    norm = trainer.weights().tensors["norm"]
    options, order = problem.options, order_of(problem)
    last = order[-(len(order) % options.batch_size or options.batch_size) :]
    drawn, _ = negatives(problem, last)
    named = np.unique(np.concatenate([problem.ancestor[last], problem.descendant[last], drawn.ravel()]))
    return bool(norm[named].max() < 1.0 <= norm.max())


def allocates_once(problem: Problem) -> bool:
    """Whether the compiled epoch allocates as often for two batches as for all."""
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
    """Places in the package where a loop takes the variable of a loop around it."""
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
    """Whether all negatives of pairs with enough others at the descendant's depth are there."""
    drawn, counts = negatives(problem, order_of(problem)[:2000])
    pairs = order_of(problem)[:2000]
    depth = problem.tree.depth
    level = depth[problem.descendant[pairs]]
    enough = np.bincount(depth)[level] > problem.options.sampler.num_negatives
    same = depth[drawn] == level[:, None]
    return bool(enough.any() and (counts == problem.options.sampler.num_negatives).all() and same[enough].all())


def starts_at_targets(problem: Problem) -> bool:
    """Whether the start has the targets' norms and follows depth exactly."""
    norm = norm_of_radius(problem.initial.radius)
    exact = np.allclose(norm, norm_of_radius(problem.target))
    return bool(exact and pearson(problem.tree.depth, norm) > 1.0 - 1e-9)


def stops_after(options: Options) -> int:
    """Epochs that a training with the recipe's stopping runs when only the first one is good."""
    with tempfile.TemporaryDirectory() as folder:
        return fit(_Worsening(), options=options.training, store=TrainingStore(folder), fingerprint={}).epochs


def negatives(problem: Problem, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The negatives of pairs in the first epoch, and how many each has."""
    settings, stream = sampler_settings(problem.options), Stream(problem.options.seed, 1)
    drawn = np.zeros((len(pairs), settings.num_negatives), np.int64)
    counts = sample_batch(tree_arrays(problem.tree), training_pairs(problem), pairs, settings, stream, drawn)
    return drawn, counts


def order_of(problem: Problem, epoch: int = 1) -> np.ndarray:
    """Positions of an epoch's pairs in the order of training."""
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
