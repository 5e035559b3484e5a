"""ConvE of Terrarium and of PyKEEN at equal settings: CPU time per training step and per test triple, one thread.

The graph is that of the folder in TERRARIUM_TRIPLES (train.txt, valid.txt, test.txt). Both programs train KvsAll with
inverse relations, smoothed binary cross entropy and Adam; both rank both sides among all entities, filtered. They take
turns, so that other work on the machine affects both.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.knowledge_graph import TRIPLES
from benchmarks.parameters import parameters_of
from benchmarks.results import report_table

DIM, HEIGHT, WIDTH, CHANNELS, KERNEL = 200, 10, 20, 32, 3
BATCH, SMOOTHING, RATE = 128, 0.1, 0.003
TRAINED, TESTED, ROUNDS = 256, 64, 3
"""Numbers of training and test triples (the first of each file) and of rounds; entities are of the whole graph."""


def main() -> None:
    """Report time per training step and per test triple of each program, and the ratios."""
    if find_spec("pykeen") is None:
        print("pykeen is not installed: pip install -e '.[bench]'")
        return
    if TRIPLES not in os.environ:
        print(f"set {TRIPLES} to a folder with train.txt, valid.txt and test.txt")
        return
    import torch

    torch.set_num_threads(1)
    graph = read_graph()
    print(
        f"{graph.num_entities:,} entities, batches of {BATCH}, dimension {DIM}, {CHANNELS} channels, {ROUNDS} rounds\n"
    )
    programs = {
        "PyKEEN": pykeen(graph),
        "Terrarium": ours(graph, 0),
        "Terrarium, chunks of 4,096 entities": ours(graph, 4096),
    }
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    for around in range(ROUNDS + 1):
        for name, (train, evaluate) in programs.items():
            found = cpu_seconds(train), cpu_seconds(evaluate)
            if around:  # the first round warms up
                costs[name].append(found)
    medians = {name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in costs.items()}
    theirs = medians["PyKEEN"]
    rows = (
        {
            "graph, program": f"{Path(os.environ[TRIPLES]).name}: {name}",
            "training step, CPU s": f"{step:.3f}",
            "PyKEEN's / this": f"{theirs[0] / step:.2f}",
            "test triple, CPU ms": f"{1000 * triple:.1f}",
            "PyKEEN's / this, evaluation": f"{theirs[1] / triple:.2f}",
        }
        for name, (step, triple) in medians.items()
    )
    report_table("knowledge_graph_peers", rows)


def cpu_seconds(work: Callable[[], int]) -> float:
    """Return CPU seconds per item of those that `work` counts."""
    start = time.process_time()
    count = work()
    return (time.process_time() - start) / count


def read_graph() -> Any:
    """Return the graph of the folder."""
    from terrarium.kge.data.graph import Graph
    from terrarium.sources.graphs.triples import read_triple_files

    source = read_triple_files(
        os.environ[TRIPLES], train="train.txt", valid="valid.txt", test="test.txt", on_error="skip"
    )
    return Graph.from_tables(source.triples, source.entities, source.relations)


def ours(graph: Any, entity_chunk: int) -> tuple[Callable[[], int], Callable[[], int]]:
    """Return functions that train an epoch and count its steps, and that evaluate and count the triples."""
    from terrarium.kge.data.graph import Graph
    from terrarium.kge.data.queries import KnownAnswers
    from terrarium.kge.evaluation.ranking import rank_triples
    from terrarium.kge.options import Options
    from terrarium.kge.training.trainer import ScorerTrainer

    tree = parameters_of("knowledge_graph", "recipes/knowledge_graph/conve_baseline")
    tree["model"] |= {"dim": DIM, "embedding_height": HEIGHT, "embedding_width": WIDTH, "output_channels": CHANNELS}
    tree["model"] |= {"kernel_height": KERNEL, "kernel_width": KERNEL, "inverse_relations": True, "entity_bias": True}
    training = tree["training"]
    training |= {"train_type": "KvsAll", "batch_size": BATCH, "max_epochs": 1_000}
    training |= {"precision": "32-true", "device": "cpu"}
    training["loss"] |= {"name": "bce", "label_smoothing": SMOOTHING}
    training["optimizer"] |= {"name": "adam", "learning_rate": RATE}
    training["memory"]["entity_chunk_size"] = entity_chunk
    training["validation"]["interval"] = 1_000
    options = Options.model_validate(tree)
    few = Graph(graph.num_entities, graph.num_relations, {**graph.splits, "train": graph.splits["train"][:TRAINED]})
    trainer = ScorerTrainer(few, options.model, options.training, options.evaluation)
    known, tested = KnownAnswers(graph.known_triples, graph.num_relations), graph.splits["test"][:TESTED]
    steps = -(-len(trainer.queries) // BATCH)

    def train() -> int:
        trainer.epoch(1)
        return steps

    def evaluate() -> int:
        return len(rank_triples(trainer.scorer, tested, known, options.evaluation))

    return train, evaluate


def pykeen(graph: Any) -> tuple[Callable[[], int], Callable[[], int]]:
    """Return the same for PyKEEN's ConvE, LCWA training loop and rank-based evaluator."""
    import logging

    import torch
    from pykeen.evaluation import RankBasedEvaluator
    from pykeen.models import ConvE
    from pykeen.training import LCWATrainingLoop
    from pykeen.triples import CoreTriplesFactory
    from pykeen.triples.instances import LCWAInstances

    logging.getLogger("pykeen").setLevel(logging.ERROR)
    parts = {name: torch.from_numpy(part) for name, part in graph.splits.items()}
    facts = CoreTriplesFactory(
        parts["train"][:TRAINED], graph.num_entities, graph.num_relations, create_inverse_triples=True
    )
    model = ConvE(
        triples_factory=facts,
        embedding_dim=DIM,
        embedding_height=HEIGHT,
        embedding_width=WIDTH,
        output_channels=CHANNELS,
        kernel_height=KERNEL,
        kernel_width=KERNEL,
        loss="bcewithlogits",
        random_seed=0,
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    loop = LCWATrainingLoop(model=model, triples_factory=facts, optimizer=optimizer)
    queries = LCWAInstances.from_triples_factory(facts)

    def train() -> int:
        loop.train(
            facts,
            num_epochs=1,
            batch_size=BATCH,
            label_smoothing=SMOOTHING,
            use_tqdm=False,
            use_tqdm_batch=False,
            clear_optimizer=False,
        )
        return -(-len(queries) // BATCH)

    def evaluate() -> int:
        tested = parts["test"][:TESTED]
        filters = [parts["train"], parts["validation"], parts["test"]]
        RankBasedEvaluator().evaluate(
            model, tested, batch_size=BATCH, use_tqdm=False, additional_filter_triples=filters
        )
        return len(tested)

    return train, evaluate
