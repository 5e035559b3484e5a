"""The effect of gradient checkpointing on the peak of memory: one training step of ConvE in fp32.

Only tensors of the step count, not the process: forward, loss, backward and the step of Adam on 256 random triples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.parameters import parameters_of
from benchmarks.results import Row, report_table

ROWS, RELATIONS = 256, 11
GRAPHS = ((135, 0), (40_943, 0), (40_943, 8_192))
"""Numbers of entities (of UMLS and WN18RR), and of those scored at a time (0: all, and their scores are kept)."""


def main() -> None:
    """Measure what is kept for backward and the peak of a step of each graph, without and with checkpointing."""
    print(f"ConvE of dimension 200 with 32 channels, fp32, batch {ROWS}, MB of 10^6 bytes\n")
    report_table("knowledge_graph_memory", _graphs())


def _graphs() -> Iterator[Row]:
    columns = ("kept MB", "kept MB, checkpointing", "peak MB", "peak MB, checkpointing")
    for entities, chunk in GRAPHS:
        plain, saving = (make_trainer(entities, chunk, checkpointing) for checkpointing in (False, True))
        saved = plain.measure_saved_mb()
        peaks = [peak_mb(lambda trainer=trainer: trainer.epoch(2)) for trainer in (plain, saving)]
        cells = [f"{number:.0f}" for number in (saved.plain, saved.checkpointed, *peaks)]
        yield {"entities": entities, "scored at once": chunk or "all", **dict(zip(columns, cells, strict=True))}


def make_trainer(entities: int, chunk: int, checkpointing: bool) -> Any:
    """Return a trainer whose epoch is one step, after the first step, which creates the state of the optimizer."""
    from terrarium.kge.data.graph import Graph
    from terrarium.kge.options import Options
    from terrarium.kge.training.trainer import ScorerTrainer

    tree = parameters_of("knowledge_graph", "recipes/knowledge_graph/conve_baseline")
    tree["model"] |= {"inverse_relations": False}
    training = tree["training"]
    training |= {"train_type": "1vsAll", "batch_size": ROWS, "max_epochs": 1_000, "device": "cpu"}
    training["memory"] |= {"entity_chunk_size": chunk, "gradient_checkpointing": checkpointing}
    training["validation"]["interval"] = 1_000
    options = Options.model_validate(tree)
    drawn = np.random.default_rng(0)
    triples = np.stack([drawn.integers(count, size=ROWS) for count in (entities, RELATIONS, entities)], axis=1)
    graph = Graph(entities, RELATIONS, {"train": triples, "validation": triples[:1]})
    trainer = ScorerTrainer(graph, options.model, options.training, options.evaluation)
    trainer.epoch(1)
    return trainer


def peak_mb(step: Callable[[], object]) -> float:
    """Return the peak of what a step has allocated and not yet freed on the CPU."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        step()
    found = [event for event in seen.profiler.kineto_results.events() if event.name() == "[memory]"]
    changes = [event.nbytes() for event in sorted(found, key=lambda event: event.start_ns())]
    return float(np.cumsum(changes).max()) / 1e6
