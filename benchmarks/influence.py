"""Influence: speed of the closed forms and of backward passes, on small and large graphs; validation by retraining.

The graph of `large` and `validation` is that of the folder in TERRARIUM_TRIPLES.
"""

import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring import KEDRO, Cost, cost_of
from benchmarks.parameters import parameters_of
from benchmarks.results import Row, report_table

TRIPLES = "TERRARIUM_TRIPLES"
WHOLE = "triples.tsv.gz"
"""Source options for a folder of triples that has no splits."""
ENTITIES, RELATIONS, TRAIN, TESTS = 135, 46, 2000, 100
ENVIRONMENT = "recipes/knowledge_graph/complex_dropout"
"""Settings of the knowledge graph for the figures in docs/benchmarks.md."""
BACKWARD = 200
"""Training triples of the loop; its time grows with their number alone."""


def main() -> None:
    """Measure triples per second for 100 queries by closed forms and by the loop, and how far their scores differ."""
    import torch

    torch.set_num_threads(1)
    cases = (
        ("conve", 200, "bce"),
        ("conve", 64, "cross_entropy"),
        ("complex", 64, "cross_entropy"),
        ("distmult", 64, "bce"),
    )
    report_table("influence", (compare(*case) for case in cases))


def switches() -> None:
    """Measure mixed precision, cleanup and checkpointing in the loop and in the closed forms; medians of three."""
    import torch

    torch.set_num_threads(1)
    report_table("influence_switches", _switches())


def _switches() -> Iterator[Row]:
    changes: dict[str, dict[str, object]] = {
        "fp32": {},
        "+ cleanup": {"cleanup": True},
        "+ mixed precision": {"cleanup": True, "precision": "mixed"},
        "+ checkpointing": {"cleanup": True, "precision": "mixed", "gradient_checkpointing": True},
    }
    for method in ("autograd", "closed_form"):
        exact = None
        for name, evaluation in changes.items():
            made, tests = context_of("conve", 200, "bce", method, evaluation)
            found, rates = zip(*(influence(made, tests, BACKWARD) for _ in range(3)), strict=True)
            exact = found[0] if exact is None else exact
            agreed = np.corrcoef(exact.ravel(), found[0].ravel())[0, 1]
            yield {
                "switches": name,
                "method": method,
                "triples per CPU second": f"{np.median(rates):.1f}",
                "MB per triple kept for backward": f"{kept_mb(made):.2f}",
                "correlation with fp32": f"{agreed:.4f}",
            }


def kept_mb(context: Any) -> float:
    """Return the MB that autograd keeps for one triple, without parameters; 0 for the closed forms."""
    import torch

    from terrarium.influence.scoring.streaming import stream_influence

    own = {parameter.data_ptr() for parameter in context.scorer.parameters()}
    sizes: dict[int, int] = {}

    def note(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        next(stream_influence(context, context.train[:1], np.arange(1)))
    return sum(sizes.values()) / 1e6


def compare(scorer: str, dim: int, loss: str) -> Row:
    """Return the speed of the closed forms and of the loop for one model, and their largest difference."""
    ours, fast = influence(*context_of(scorer, dim, loss, "closed_form", {}), TRAIN)
    loop, slow = influence(*context_of(scorer, dim, loss, "autograd", {}), BACKWARD)
    apart = np.abs(ours[:BACKWARD] - loop).max() / np.abs(loop).max()
    numbers = numbers_of(scorer, dim)
    return {
        "model, dimension": f"{scorer}, {dim}",
        "numbers in a gradient": numbers,
        "loop, triples per CPU second": f"{slow:.1f}",
        "closed forms, triples per CPU second": f"{fast:.0f}",
        "ratio": f"{fast / slow:.0f}x",
        "largest difference / largest": f"{apart:.1e}",
    }


def numbers_of(scorer: str, dim: int) -> int:
    """Return the number of parameters in a gradient."""
    made = _scorer(scorer, dim)
    return sum(parameter.numel() for parameter in made.parameters())


def influence(context: Any, queries: np.ndarray, train: int) -> tuple[np.ndarray, float]:
    """Return (n, T) influences of the first training triples, and triples per second.

    The rate is of the second half alone: it leaves out the gradients of the query triples, which are computed once.
    """
    from terrarium.influence.scoring.streaming import stream_influence

    found, spent = np.empty((train, len(queries))), []
    for chosen in (np.arange(train // 2), np.arange(train)):
        started = time.process_time()
        for places, values in stream_influence(context, queries, chosen):
            found[places] = values.detach().double().numpy()
        spent.append(time.process_time() - started)
    return found, (train - train // 2) / (spent[1] - spent[0])


def context_of(
    scorer: str, dim: int, loss: str, method: str, changes: dict[str, object], train: int = TRAIN
) -> tuple[Any, np.ndarray]:
    """Return a context of random weights and `train` random triples with plain gradients, and query triples."""
    from terrarium.influence.data.checkpoints import Snapshot, TrainingRun
    from terrarium.influence.scoring.context import InfluenceContext
    from terrarium.kge.data.graph import Graph

    options, graph_options = _options()
    rng = np.random.default_rng(0)
    drawn = np.stack([rng.integers(n, size=train + TESTS) for n in (ENTITIES, RELATIONS, ENTITIES)], axis=1)
    none = drawn[:0]
    parts = {"train": drawn[:train], "validation": none, "test": drawn[train:], "test_groups": none}
    graph = Graph(ENTITIES, RELATIONS, parts)
    made = _scorer(scorer, dim)
    loss_options = graph_options.training.loss.model_copy(update={"name": loss, "label_smoothing": 0.1})
    trained = graph_options.training.model_copy(update={"loss": loss_options})
    attribution = options.attribution.model_copy(update={"method": method, "preconditioner": "none", "hessian": "none"})
    scoring = type(options.scoring).model_validate(options.scoring.model_dump() | changes)
    training = TrainingRun(made.options, trained)
    context = InfluenceContext.of([Snapshot(1, 1.0, made, {})], training, graph, attribution, scoring)
    return context, parts["test"]


def large() -> None:
    """Train on the folder's graph for an epoch and score 100 queries: seconds and peak memory."""
    source = os.environ.get(TRIPLES)
    if not source:
        print(f"set {TRIPLES} to a folder with train.txt or triples.tsv.gz")
        return
    with tempfile.TemporaryDirectory() as folder:
        of_graph = _graph_parameters(source, {"training.max_epochs": "1", "training.validation.max_triples": "100"})
        _kedro(folder, "knowledge_graph", of_graph, "--tags=ingestion,features,training")
        cost = _kedro(folder, "influence", {"influence.paths.num_queries": "0"})
        metrics = _json(folder, "influence/metrics.json")
    row = {
        "graph": Path(source).name,
        "training triples": f"{metrics['training_triples']:.0f}",
        "test triples": f"{metrics['queries']:.0f}",
        "wall": f"{cost.wall:.0f} s",
        "CPU s": f"{cost.cpu:.0f}",
        "peak MB": f"{cost.peak_mb:.0f}",
        "pairs per second": f"{metrics['pairs_per_second']:.0f}",
    }
    report_table("influence_large", [row])


def validation() -> None:
    """Measure linear datamodeling score, deletion and mislabelled triples on the folder's graph."""
    source = os.environ.get(TRIPLES)
    if not source:
        print(f"set {TRIPLES} to a folder with train.txt, valid.txt and test.txt")
        return
    with tempfile.TemporaryDirectory() as folder:
        changes = {"model.dim": "32", "training.max_epochs": "30"}
        _kedro(folder, "knowledge_graph", _graph_parameters(source, changes), "--tags=ingestion,features,training")
        _kedro(folder, "influence_validation", {})
        metrics = _json(folder, "influence/validation/metrics.json")
    report_table("influence_validation", ({"metric": name, "value": f"{value:.4f}"} for name, value in metrics.items()))


def _graph_parameters(source: str, changes: dict[str, str]) -> dict[str, str]:
    given = {"source.kind": "files", "source.path": source} | changes
    if not (Path(source) / "test.txt").is_file():
        given |= {"source.train": WHOLE, "source.valid": "null", "source.test": "null", "features.split_by": "pair"}
        given |= {"features.val_fraction": "0.005", "features.test_fraction": "0.005"}
    return {f"knowledge_graph.{name}": value for name, value in given.items()}


def _kedro(folder: str, pipeline: str, parameters: dict[str, str], *options: str) -> Cost:
    given = ",".join([f"data_root={folder}", *(f"{name}={value}" for name, value in parameters.items())])
    return cost_of([KEDRO, "run", f"--env={ENVIRONMENT}", f"--pipelines={pipeline}", *options, f"--params={given}"])


def _json(folder: str, pattern: str) -> dict[str, float]:
    (found,) = Path(folder).glob(f"08_reporting/{pattern}/*/*.json")
    return json.loads(found.read_text(encoding="utf-8"))


def _scorer(kind: str, dim: int) -> Any:
    from terrarium.kge.models.scorer import build_scorer

    _, graph_options = _options()
    changes = {"name": kind, "dim": dim, "output_channels": 32}
    model = type(graph_options.model).model_validate(graph_options.model.model_dump() | changes)
    return build_scorer(model, ENTITIES, RELATIONS).eval()


def _options() -> tuple[Any, Any]:
    """Return the default options of influence, and those of the knowledge graph."""
    from terrarium.influence.options import Options
    from terrarium.kge.options import Options as GraphOptions

    graph = GraphOptions.model_validate(parameters_of("knowledge_graph", ENVIRONMENT))
    return Options.model_validate(parameters_of("influence", "base")), graph
