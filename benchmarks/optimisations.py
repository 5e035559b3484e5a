"""Each optimisation of "Taxonomy optimizations": before, after, and as Terrarium does it, on the same batches."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from unittest.mock import patch

import numpy as np
import torch
from numpy.random import RandomState
from numpy.typing import NDArray

from benchmarks import reference_forms as forms
from benchmarks.checklist import order_of, problem_of
from benchmarks.parameters import options_of, with_options
from benchmarks.results import Row, report_table
from benchmarks.timing import BATCHES, Timing, timed
from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.geometry.ball import norm_of_radius, to_ball
from terrarium.hyperbolic.legacy.adam import Table, measure_rows
from terrarium.hyperbolic.legacy.projection import project_all, project_rows
from terrarium.hyperbolic.options import NegativeSampler, Options
from terrarium.hyperbolic.training.cpu.gradients import add_radius_penalty
from terrarium.hyperbolic.training.diagnostics import training_pairs
from terrarium.hyperbolic.training.factory import make_trainer
from terrarium.hyperbolic.training.problem import Problem
from terrarium.hyperbolic.training.sampling.negatives import sample_batch, sampler_settings
from terrarium.hyperbolic.training.sampling.pairs import PairSampler
from terrarium.hyperbolic.training.sampling.random_stream import Stream
from terrarium.hyperbolic.training.sampling.tree_arrays import TreeArrays, tree_arrays
from terrarium.sources.taxonomies.ncbi_package import NcbiPackage
from terrarium.training.torch.device import DeviceError, resolve_device

RECIPE = "recipes/hyperbolic/v1"
WHOLE_BATCHES = 200
TURNS = 15
ROWS_WITH_GRADIENT = 500
"""Rows of the differentiated loop, whose backward pass clears a gradient of the whole table for each row."""
CLAIMED_NODES, CLAIMED_BATCHES, CLAIMED_ROWS = 111_103, 15_248, 3_328
"""Taxa, batches per epoch and rows named per batch that "Taxonomy optimizations" reports."""


@dataclass(frozen=True, eq=False)
class Setting:
    """Batches of one training, in the shapes that the functions under test take."""

    tree: Hierarchy
    options: Options

    @cached_property
    def problem(self) -> Problem:
        """The recipe v1 on the tree."""
        return problem_of(self.tree, self.options)

    @cached_property
    def columns(self) -> tuple[NDArray[np.integer], ...]:
        """Ancestors, descendants, differences."""
        return self.problem.ancestor, self.problem.descendant, self.problem.difference

    @cached_property
    def parts(self) -> list[forms.Rows]:
        """Positions of the pairs of the first batches."""
        size = self.options.training.batch_size
        order = order_of(self.problem)
        return [order[start : start + size] for start in range(0, min(len(order), BATCHES * size), size)]

    @property
    def batches(self) -> int:
        """Batches of an epoch."""
        return -(-self.tree.pair_count // self.options.training.batch_size)

    @cached_property
    def named(self) -> list[forms.Rows]:
        """Rows that each batch names, with repetitions: ancestors, descendants, negatives."""
        return [
            np.concatenate([self.columns[0][part], self.columns[1][part], self.sample(part).ravel()])
            for part in self.parts
        ]

    @cached_property
    def points(self) -> torch.Tensor:
        """(N, d) ball coordinates in float32."""
        return torch.from_numpy(to_ball(self.problem.initial).astype(np.float32))

    @cached_property
    def target(self) -> torch.Tensor:
        """(N,) target norms in float32."""
        return torch.from_numpy(norm_of_radius(self.problem.target).astype(np.float32))

    @cached_property
    def levels(self) -> list[forms.Rows]:
        """Rows of each depth."""
        order, start = self.tree.levels()
        return [order[start[k] : start[k + 1]].astype(np.int64) for k in range(self.tree.max_depth + 1)]

    @cached_property
    def arrays(self) -> TreeArrays:
        """The tree as the compiled functions take it."""
        return tree_arrays(self.tree)

    def sample(self, part: forms.Rows, sampler: NegativeSampler = "same_depth") -> forms.Rows:
        """Return (B, K) negatives of the compiled sampler."""
        options = with_options(self.options.training, sampler={"negative_sampler": sampler})
        drawn = np.zeros((len(part), options.sampler.num_negatives), np.int64)
        settings, stream = sampler_settings(options), Stream(options.seed, 1)
        sample_batch(self.arrays, training_pairs(self.problem), part, settings, stream, drawn)
        return drawn


Form = tuple[str, Timing]
Call = Callable[[int], object]
_SPREAD: dict[str, Callable[[list[float]], float]] = {"minimum": min, "median": statistics.median, "maximum": max}
_TIMES = ("CPU ms per batch", "CPU time per epoch")


def main() -> None:
    """Measure all optimisations on the 100,000 lowest tax ids with their ancestors; CPU time of one thread."""
    torch.set_num_threads(1)
    table = NcbiPackage().lowest_taxids(100_000)
    setting = Setting(Hierarchy.from_parents(table["id"], table["parent"]), options_of(RECIPE))
    tree = setting.tree
    print(
        f"The 100,000 lowest tax ids closed under ancestors: {len(tree):,} taxa, {tree.pair_count:,} pairs, batches of "
        f"{setting.options.training.batch_size}: {setting.batches:,} per epoch, 50 negatives, dimension 10. "
        '"Taxonomy optimizations" has 111,103 nodes of a tree with cut lineages and 975,896 pairs. CPU time of one '
        "thread, median (range).",
        flush=True,
    )
    devices()
    value, penalty = radius_penalty(setting)
    projected, drawn, loaded = projection(setting), negatives(setting), loading(setting)
    whole(setting, value[0][1], [penalty, projected, drawn, loaded])
    counts(setting, value, penalty, projected)


def counts(setting: Setting, value: Sequence[Form], penalty: Sequence[Form], projected: Sequence[Form]) -> None:
    """Report rows processed per epoch, claimed and measured, and the time they take."""
    nodes, batches = len(setting.tree), setting.batches
    different = round(statistics.mean(len(np.unique(named)) for named in setting.named))
    most = max(len(named) for named in setting.named)
    claimed_all = _product(CLAIMED_NODES, CLAIMED_BATCHES)
    rows: list[Row] = []
    for what, claimed, measured, timing in (
        ("radius penalty, before (value alone)", f"1.7 billion: {claimed_all}", _product(nodes, batches), value[0][1]),
        ("radius penalty, after, counted once per epoch as claimed", f"111 thousand: {CLAIMED_NODES:,}", "", None),
        ("radius penalty, after, in each batch as it runs", claimed_all, _product(nodes, batches), penalty[1][1]),
        ("radius penalty, Terrarium: rows of the batch", "", _product(different, batches), penalty[2][1]),
        ("projection, before", f"1.7 billion: {claimed_all}", _product(nodes, batches), projected[0][1]),
        (
            "projection, after",
            f"50 million: {_product(CLAIMED_ROWS, CLAIMED_BATCHES)}",
            _product(most, batches),
            projected[1][1],
        ),
        ("projection, Terrarium: different rows of the batch", "", _product(different, batches), projected[3][1]),
    ):
        times = ("", "") if timing is None else _times(setting, timing)
        columns = ("what", "claimed rows per epoch", "measured rows per epoch", *_TIMES)
        rows.append(dict(zip(columns, (what, claimed, measured, *times), strict=True)))
    report_table("optimisations_operations", rows)


def devices() -> None:
    """Report which device each option selects, here and where Apple's Metal is the only GPU."""
    report_table("optimisations_devices", _devices())


def _devices() -> Iterator[Row]:
    for name in ("auto", "cpu", "mps"):
        with (
            patch("torch.backends.mps.is_available", return_value=True),
            patch("torch.cuda.is_available", return_value=False),
        ):
            there = resolve_device(name)
        try:
            here = resolve_device(name)
        except DeviceError as error:
            here = f"refused: {error}"
        yield {"option": name, "here": here, "with Metal and without CUDA": there}


def radius_penalty(setting: Setting) -> tuple[list[Form], list[Form]]:
    """Time the radius penalty, its value alone and with its gradient."""
    points, target, tree = setting.points, setting.target, setting.tree
    depth = dict(enumerate(tree.depth.tolist()))
    few = {row: depth[row] for row in range(0, len(tree), len(tree) // ROWS_WITH_GRADIENT)}
    every, leaf = torch.arange(len(tree)), points.clone().requires_grad_()
    norm, penalty_gradient = (np.zeros(len(tree), np.float32) for _ in range(2))
    table = Table(np.ascontiguousarray(points.numpy().T), norm, penalty_gradient, target.numpy())
    touched = [np.unique(named) for named in setting.named]
    radius, goal, gradient = setting.problem.initial.radius, setting.problem.target, np.zeros(max(map(len, touched)))

    def differentiate(value: torch.Tensor) -> None:
        leaf.grad = None
        value.backward()

    value = [
        (
            "loop over all rows (before)",
            timed(lambda _: forms.radius_penalty_loop(points, depth, tree.max_depth), 1, 3),
        ),
        ("vectorised over all rows (after)", timed(lambda _: forms.radius_penalty_vectorised(points, every, target))),
        (
            "Terrarium, legacy_adam: compiled, all rows",
            timed(lambda _: measure_rows(table, False)),
        ),
    ]
    loop = timed(lambda _: differentiate(forms.radius_penalty_loop(leaf, few, tree.max_depth)), 1, 3)
    factor = len(tree) / len(few)
    both = [
        (
            f"loop over all rows (before), {len(few)} rows timed",
            Timing(loop.median * factor, loop.minimum * factor, loop.maximum * factor),
        ),
        (
            "vectorised over all rows (after)",
            timed(lambda _: differentiate(forms.radius_penalty_vectorised(leaf, every, target))),
        ),
        (
            "Terrarium, riemannian_adam: compiled, rows of the batch",
            timed(lambda i: add_radius_penalty(touched[i], radius, goal, gradient, 0.1)),
        ),
    ]
    show(setting, "penalty_value", value, "100-1000x")
    show(setting, "penalty_gradient", both, "100-1000x")
    return value, both


def projection_spread() -> None:
    """Time the projection in turns, all forms in each, and report the spread of the ratio to the first form."""
    torch.set_num_threads(1)
    table = NcbiPackage().lowest_taxids(100_000)
    setting = Setting(Hierarchy.from_parents(table["id"], table["parent"]), options_of(RECIPE))
    report_table("optimisations_projection_spread", _spread(projection_forms(setting)))


def _spread(calls: dict[str, Call], batches: int = BATCHES) -> Iterator[Row]:
    """Yield one row per form: CPU milliseconds and the ratio of the first form's, each with minimum and maximum."""
    turns = [{name: timed(call, batches, 1).median for name, call in calls.items()} for _ in range(TURNS)]
    first = next(iter(calls))
    for name in calls:
        own = [turn[name] for turn in turns]
        ratio = [turn[first] / turn[name] for turn in turns]
        yield {
            "form": name,
            "turns": TURNS,
            **{f"ms, {what}": _number(1e3 * of(own)) for what, of in _SPREAD.items()},
            **{f"times faster, {what}": _number(of(ratio)) for what, of in _SPREAD.items()},
        }


def projection(setting: Setting) -> list[Form]:
    """Time the projection into the ball; no row is outside, as in most batches, but each form checks."""
    found = [(name, timed(call)) for name, call in projection_forms(setting).items()]
    show(setting, "projection", found, "30x")
    return found


def projection_forms(setting: Setting) -> dict[str, Call]:
    """Return the forms of the projection, each as a call with a batch's number."""
    points, target = setting.points, setting.target.numpy()
    named = [torch.from_numpy(rows) for rows in setting.named]
    different = [np.unique(rows) for rows in setting.named]
    scratch = points.clone()
    norm, penalty_gradient = (np.zeros(len(points), np.float32) for _ in range(2))
    table = Table(np.ascontiguousarray(points.numpy().T), norm, penalty_gradient, target)
    measure_rows(table, False)
    return {
        "all rows (before)": lambda _: forms.project_all(scratch),
        "rows of the batch (after)": lambda i: forms.project_batch(scratch, named[i]),
        "Terrarium, all_rows: compiled": lambda _: project_all(table, forms.LIMIT),
        "Terrarium, batch_rows: compiled": lambda i: project_rows(table, different[i], forms.LIMIT),
    }


def negatives(setting: Setting) -> list[Form]:
    """Time drawing negatives of the descendant's depth, and making the tensor alone."""
    count, random = setting.options.training.sampler.num_negatives, RandomState(0)
    depths = [setting.tree.depth[setting.columns[1][part]].tolist() for part in setting.parts]
    drawn = [list(setting.sample(part)) for part in setting.parts]
    creation = [
        ("list of arrays (before)", timed(lambda i: forms.tensor_of_list(drawn[i]))),
        ("one array (after)", timed(lambda i: forms.tensor_of_array(drawn[i], count))),
    ]
    few = min(10, len(depths))
    sampling = [
        (
            "list of arrays (before)",
            timed(lambda i: forms.negatives_as_list(depths[i], setting.levels, count, random), few),
        ),
        (
            "one array (after)",
            timed(lambda i: forms.negatives_preallocated(depths[i], setting.levels, count, random), few),
        ),
        ("Terrarium, same_depth: compiled", timed(lambda i: torch.from_numpy(setting.sample(setting.parts[i])))),
        (
            "Terrarium, true_negatives: compiled",
            timed(lambda i: torch.from_numpy(setting.sample(setting.parts[i], "true_negatives"))),
        ),
    ]
    show(setting, "negatives_tensor", creation, "10-100x")
    show(setting, "negatives", sampling, "10-100x")
    return sampling


def loading(setting: Setting) -> list[Form]:
    """Time loading the ancestors, descendants and depth differences of a batch."""
    columns = (*setting.columns, setting.tree.depth, setting.tree.ids)
    kept = [forms.records(columns, part) for part in setting.parts]
    found = [
        ("list comprehensions over records (before)", timed(lambda i: forms.load_lists(kept[i]))),
        ("arrays filled from records (after)", timed(lambda i: forms.load_arrays(kept[i]))),
        ("Terrarium: columns by position", timed(lambda i: forms.load_columns(setting.columns, setting.parts[i]))),
    ]
    show(setting, "loading", found, "minor")
    return found


def whole(setting: Setting, value: Timing, parts: Sequence[list[Form]]) -> None:
    """Sum the four parts, and time whole batches of Terrarium: forward, backward, optimizer and all parts."""
    others = [part[0][1] for part in parts[1:]]
    together = [
        ("the four parts before, the radius penalty without its gradient", _total([value, *others])),
        ("the four parts before", _total([parts[0][0][1], *others])),
        ("the four parts after", _total([part[1][1] for part in parts])),
        ("Terrarium, recipe v1 (legacy_adam), whole batch", epochs(setting.problem)),
        ("Terrarium, ranking by rows (riemannian_adam), whole batch", epochs(_by_rows(setting))),
    ]
    show(setting, "batch", together, "100-1000x, 1 to 2 min (15,248 batches)", after=2)


def epochs(problem: Problem) -> Timing:
    """Return CPU seconds per batch of the trainer over the first batches of an epoch."""
    order = order_of(problem)[: WHOLE_BATCHES * problem.options.batch_size]
    batches = -(-len(order) // problem.options.batch_size)
    with patch.object(PairSampler, "epoch", return_value=order):
        trainer = make_trainer(problem)
        found = timed(lambda i: trainer.epoch(i + 2), 1)
    return Timing(found.median / batches, found.minimum / batches, found.maximum / batches)


def show(setting: Setting, title: str, found: Sequence[Form], claim: str, after: int = 1) -> None:
    """Report a table of forms; `claim` is the claimed ratio of form number `after` to the first."""
    columns = ("form", *_TIMES, "times faster than the first", "claimed")
    rows: list[Row] = []
    for place, (name, timing) in enumerate(found):
        ratio = f"{_number(found[0][1].median / timing.median)}x" if place else "1"
        cells = (name, *_times(setting, timing), ratio, claim if place == after else "")
        rows.append(dict(zip(columns, cells, strict=True)))
    report_table(f"optimisations_{title}", rows)


def _times(setting: Setting, timing: Timing) -> tuple[str, str]:
    """Return milliseconds per batch with their range, and the time per epoch."""
    median, minimum, maximum = (_number(1e3 * value) for value in (timing.median, timing.minimum, timing.maximum))
    return f"{median} ({minimum} to {maximum})", _duration(timing.median * setting.batches)


def _by_rows(setting: Setting) -> Problem:
    training = with_options(
        setting.options.training,
        optimizer={"name": "riemannian_adam"},
        sampler={"negative_sampler": "true_negatives"},
    )
    return problem_of(setting.tree, setting.options.model_copy(update={"training": training}))


def _total(timings: Sequence[Timing]) -> Timing:
    return Timing(*(sum(getattr(timing, name) for timing in timings) for name in ("median", "minimum", "maximum")))


def _product(rows: int, batches: int) -> str:
    return f"{rows:,} x {batches:,} = {rows * batches:,}"


def _number(value: float) -> str:
    """Format with three digits, without a power of ten for large numbers."""
    return f"{value:,.0f}" if value >= 100.0 else f"{value:.3g}"


def _duration(seconds: float) -> str:
    if seconds < 120.0:
        return f"{_number(seconds)} s"
    return f"{_number(seconds / 60.0)} min" if seconds < 7200.0 else f"{_number(seconds / 3600.0)} h"
