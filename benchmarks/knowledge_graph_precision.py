"""bf16 against 32 bits on this CPU: training steps of the default scorer, measured in turns."""

import statistics
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.parameters import parameters_of
from benchmarks.results import Row, report_table

ENTITIES, RELATIONS, ROWS, TURNS = 40_943, 11, 512, 5
"""The numbers of WN18RR, and the rows of a training step; every precision has one step per turn."""
SCORED = {"all entities": 0, "2,048 sampled": 2048}


def main() -> None:
    """Measure CPU seconds of a step in both precisions, one after the other, and their ratio of medians."""
    report_table("knowledge_graph_precision", _rows())


def _rows() -> Iterator[Row]:
    from terrarium.kge.training.precision import has_bf16_instructions

    has = "yes" if has_bf16_instructions() else "no"
    for name, negatives in SCORED.items():
        trainers = {precision: make_trainer(precision, negatives) for precision in ("32-true", "bf16-mixed")}
        seconds: dict[str, list[float]] = {precision: [] for precision in trainers}
        for turn in range(TURNS):
            for precision, trainer in trainers.items():
                start = time.process_time()
                trainer.epoch(2 + turn)
                seconds[precision].append(time.process_time() - start)
        single, half = (statistics.median(values) for values in seconds.values())
        yield {
            "scored": name,
            "bf16 instructions": has,
            "32 bits, CPU s per step": _with_range(seconds["32-true"]),
            "bf16, CPU s per step": _with_range(seconds["bf16-mixed"]),
            "32 bits / bf16": f"{single / half:.2f}",
        }


def _with_range(values: list[float]) -> str:
    return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def make_trainer(precision: str, negatives: int) -> Any:
    """Return a trainer whose epoch is one step, after the first step, which creates the state of the optimizer."""
    from terrarium.kge.data.graph import Graph
    from terrarium.kge.options import Options
    from terrarium.kge.training.trainer import ScorerTrainer

    tree = parameters_of("knowledge_graph", "base")
    tree["model"] |= {"inverse_relations": False}
    training = tree["training"]
    training |= {"train_type": "1vsAll", "batch_size": ROWS, "num_negatives": negatives, "precision": precision}
    training |= {"max_epochs": 1_000}
    training["loss"]["n3_weight"] = 0.1
    training["validation"]["interval"] = 1_000
    options = Options.model_validate(tree)
    drawn = np.random.default_rng(0)
    triples = np.stack([drawn.integers(count, size=ROWS) for count in (ENTITIES, RELATIONS, ENTITIES)], axis=1)
    graph = Graph(ENTITIES, RELATIONS, {"train": triples, "validation": triples[:1]})
    trainer = ScorerTrainer(graph, options.model, options.training, options.evaluation)
    trainer.epoch(1)
    return trainer
