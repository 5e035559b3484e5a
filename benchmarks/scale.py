"""Cost of every family at three sizes, each ten times the one before: python -m benchmarks scale.

What is measured is one epoch (of influence, the scores of all training triples), in a process of its own; memory is
what that process takes more than its imports. The exponent is the slope of the logarithms over the last two sizes.
"""

import json
import math
import os
import time
import traceback
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np

from benchmarks.influence import ENVIRONMENT, context_of
from benchmarks.parameters import options_of, parameters_of
from benchmarks.results import Row, chosen, replace_rows

FACTOR = 10


def main() -> None:
    """Measure each family, or those in TERRARIUM_ONLY."""
    replace_rows("scale", (row for name in chosen(FAMILIES) for row in _rows(name)))


def _rows(name: str) -> Iterator[Row]:
    what, smallest, prepare = FAMILIES[name]
    if prepare is senses:
        wordnet()  # once, for all processes
    sizes = [smallest * FACTOR**step for step in range(3)]
    costs = [cost_of_epoch(prepare, size) for size in sizes]
    for step, (size, cost) in enumerate(zip(sizes, costs, strict=True)):
        before = costs[step - 1] if step else None
        yield {
            "family and size": f"{name}, {size:,} {what}",
            "CPU s of the epoch": f"{cost['epoch']:.2f}",
            "exponent of time": _exponent(cost["epoch"], before["epoch"] if before else None),
            "CPU s to prepare": f"{cost['prepare']:.1f}",
            "MB above the imports": f"{cost['memory']:.0f}",
            "exponent of memory": _exponent(cost["memory"], before["memory"] if before else None),
        }


def _exponent(value: float, before: float | None) -> str:
    """Return the slope of the logarithm over a factor of ten; empty without an earlier size."""
    return f"{math.log(value / before, FACTOR):.2f}" if before and value > 0 else ""


def cost_of_epoch(prepare: Callable[[int], Callable[[], object]], size: int) -> dict[str, float]:
    """Prepare and do an epoch in a process of its own.

    Args:
        prepare: takes the size and returns the epoch as a function.
        size: handed to `prepare`.

    Returns:
        CPU seconds to `prepare` and of the `epoch` (its second run, as the first may compile), and the largest
        resident `memory` in MB (10^6 bytes) above that before `prepare`.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            prepare(10)()  # imports and compiles
            start, before = time.process_time(), _resident_mb()
            epoch = prepare(size)
            middle = time.process_time()
            epoch()
            cost = {"prepare": middle - start, "epoch": time.process_time() - middle, "memory": _peak_mb() - before}
            os.write(writer, json.dumps(cost).encode())
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as result:
        found: dict[str, float] = json.loads(result.read() or "{}")
    if not found:
        raise SystemExit(f"the process for size {size:,} has failed; its error is above")
    return found


def _resident_mb() -> float:
    with open("/proc/self/statm", encoding="ascii") as pages:
        return int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _peak_mb() -> float:
    from terrarium.training.history import peak_memory_mb

    return peak_memory_mb()


def hyperbolic(size: int) -> Callable[[], object]:
    """Return an epoch of the default training on a tree of `size` nodes with three children each."""
    from benchmarks.checklist import problem_of
    from terrarium.hierarchy import Hierarchy
    from terrarium.hyperbolic.training.cpu.trainer import CpuTrainer

    ids = np.arange(size)
    tree = Hierarchy.from_parents(ids, np.where(ids > 0, (ids - 1) // 3, -1))
    trainer = CpuTrainer(problem_of(tree, options_of("recipes/hyperbolic/prescribed_norms")))
    return lambda: trainer.epoch(1)


@cache
def wordnet() -> dict[str, Any]:
    """Return the tables of WordNet."""
    from terrarium.pipelines.senses import nodes
    from terrarium.senses.options import Options

    return nodes.read_source(Options.model_validate(parameters_of("senses", "local")).source)


def senses(size: int) -> Callable[[], object]:
    """Return an epoch of the default training on the first `size` synsets of WordNet, from random vectors."""
    from terrarium.pipelines.senses import nodes
    from terrarium.senses.options import Options
    from terrarium.senses.training.problem import build_problem
    from terrarium.senses.training.trainer import SenseTrainer

    tree = parameters_of("senses", "local")
    tree["model"] |= {"init": "random", "specificity_column": 0.0}
    options, count = Options.model_validate(tree), max(size, 1_000)
    synsets, senses, pairs = (wordnet()[name] for name in ("synsets", "senses", "relations"))
    synsets, senses = synsets.iloc[:count], senses[senses["synset_row"] < count].assign(offset_row=-1)
    pairs = pairs[(pairs["head"] < count) & (pairs["tail"] < count)].assign(head_sense=-1, tail_sense=-1, split="train")
    made = nodes.build_ancestors(pairs, synsets)
    problem = build_problem(
        synsets,
        senses.reset_index(drop=True),
        pairs.reset_index(drop=True),
        made["ancestors"],
        made["information_content"],
        synsets[["synset"]].reset_index(drop=True),
        options.training.named_axes,
    )
    trainer = SenseTrainer(problem, options.model, options.training)
    return lambda: trainer.epoch(1)


def knowledge_graph(size: int) -> Callable[[], object]:
    """Return an epoch of ComplEx with all answers of a query at once, on `size` entities with five triples each."""
    from terrarium.kge.data.graph import Graph
    from terrarium.kge.options import Options
    from terrarium.kge.training.trainer import ScorerTrainer

    tree = parameters_of("knowledge_graph", ENVIRONMENT)
    tree["training"]["validation"]["interval"] = 1_000
    options, drawn = Options.model_validate(tree), np.random.default_rng(0)
    triples = np.stack([drawn.integers(count, size=5 * size) for count in (size, 11, size)], axis=1)
    graph = Graph(size, 11, {"train": triples, "validation": triples[:2]})
    trainer = ScorerTrainer(graph, options.model, options.training, options.evaluation)
    return lambda: trainer.epoch(1)


def influence_scores(size: int) -> Callable[[], object]:
    """Return the scores of `size` training triples for 100 queries, ComplEx of dimension 64 by closed forms."""
    from terrarium.influence.scoring.streaming import stream_influence

    context, queries = context_of("complex", 64, "cross_entropy", "closed_form", {}, max(size, 100))
    return lambda: [values.shape for _, values in stream_influence(context, queries, np.arange(size))]


def scenes(size: int) -> Callable[[], object]:
    """Return an epoch on `size` simulated scenes of three seconds, with the encoder of the tests."""
    from terrarium.pipelines.scenes import nodes
    from terrarium.scenes.options import Options
    from terrarium.scenes.training.problem import scene_problem
    from terrarium.scenes.training.trainer import SceneTrainer

    tree = parameters_of("scenes", "test")
    for variant in tree["source"]["simulator"]["variants"].values():
        variant["scenes"] = size // 2
    tree["source"]["simulator"]["duration_s"] = 3.0
    options = Options.model_validate(tree)
    built = nodes.build_graphs(**nodes.read_source(options.source), features=options.features)
    problem = scene_problem(built["graphs"], built["graph_index"], options.features)
    trainer = SceneTrainer(problem, options.model, options.training)
    return lambda: trainer.epoch(1)


FAMILIES: dict[str, tuple[str, int, Callable[[int], Callable[[], Any]]]] = {
    "hyperbolic": ("nodes", 1_000, hyperbolic),
    "senses": ("synsets", 1_170, senses),
    "knowledge graph": ("entities", 100, knowledge_graph),
    "influence": ("training triples", 1_000, influence_scores),
    "scenes": ("scenes", 6, scenes),
}
"""Family -> what its size counts, the smallest size, and what prepares an epoch."""
