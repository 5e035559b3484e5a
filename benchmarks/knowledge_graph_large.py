"""Training steps on a random graph of 20 million triples and 5 million entities, in memory and CPU seconds.

A step is a batch of the default size with sampled entities. An epoch is not trained: its time is that of a step times
the number of steps, and the table says so. TERRARIUM_TRIPLES_COUNT and TERRARIUM_ENTITIES change the sizes.
"""

import os
import resource
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from benchmarks.measuring import MAXRSS_BYTES
from benchmarks.parameters import parameters_of
from benchmarks.results import Row, report_table

SIZES = {"TERRARIUM_TRIPLES_COUNT": 20_000_000, "TERRARIUM_ENTITIES": 5_000_000}
RELATIONS, DIM, STEPS = 20, 64, 20
HELD_OUT = 1_000
"""Validation triples, of which an epoch ranks all."""


def main() -> None:
    """Measure preparation, a training step and the ranking of a triple; extrapolate an epoch."""
    triples, entities = (int(os.environ.get(name, size)) for name, size in SIZES.items())
    report_table("knowledge_graph_large", _rows(triples, entities))


def _rows(num_triples: int, num_entities: int) -> Iterator[Row]:
    start = time.process_time()
    trainer = make_trainer(num_triples, num_entities)
    prepared = time.process_time()
    memory = _peak_gb()
    batches = list(islice(trainer._batches(1), STEPS + 1))
    trainer._batches = lambda _: iter(batches[:1])
    trainer.train_epoch(1)
    trainer._batches = lambda _: iter(batches[1:])
    before = time.process_time()
    trainer.train_epoch(2)
    step = (time.process_time() - before) / STEPS
    steps = -(-len(trainer.queries) // trainer._batch_size)
    yield {
        "graph": f"{num_triples:,} random triples, {num_entities:,} entities, dimension {DIM}",
        "rows": f"{len(trainer.queries):,}",
        "CPU s to prepare": f"{prepared - start:.0f}",
        "GB after preparing": f"{memory:.1f}",
        "CPU s per step": f"{step:.3f}",
        "peak GB": f"{_peak_gb():.1f}",
        "steps per epoch": f"{steps:,}",
        "hours per epoch, extrapolated": f"{steps * step / 3600:.1f}",
    }


def make_trainer(num_triples: int, num_entities: int) -> Any:
    """Return a trainer of the default model on a random graph."""
    from terrarium.kge.data.graph import Graph
    from terrarium.kge.options import Options
    from terrarium.kge.training.trainer import ScorerTrainer

    tree = parameters_of("knowledge_graph", "base")
    tree["model"]["dim"] = DIM
    tree["training"]["loss"]["n3_weight"] = 0.1
    options = Options.model_validate(tree)
    drawn = np.random.default_rng(0)
    sizes = (num_entities, RELATIONS, num_entities)
    triples = np.stack([drawn.integers(size, size=num_triples) for size in sizes], axis=1)
    graph = Graph(num_entities, RELATIONS, {"train": triples, "validation": triples[:HELD_OUT]})
    return ScorerTrainer(graph, options.model, options.training, options.evaluation)


def _peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_BYTES / 1e9
