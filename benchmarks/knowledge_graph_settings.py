"""Settings of the default scorer on one graph, each trained for at most so many CPU seconds.

The graph is that of the folder in TERRARIUM_TRIPLES (train.txt, valid.txt, test.txt). TERRARIUM_SETTINGS lists what
differs from the defaults, such as "training.num_negatives=0,model.dim=400; training.num_negatives=2048". The epoch
with the best validation MRR is the one that is tested.
"""

import copy
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from benchmarks.parameters import parameters_of
from benchmarks.results import Row, replace_rows

TRIPLES, SETTINGS, SECONDS = "TERRARIUM_TRIPLES", "TERRARIUM_SETTINGS", "TERRARIUM_CPU_SECONDS"
LONGEST = 1_800.0
"""CPU seconds of a training where TERRARIUM_CPU_SECONDS is not set."""


def main() -> None:
    """Measure validation and test MRR of each setting, with its epochs and CPU seconds."""
    if not os.environ.get(TRIPLES):
        print(f"set {TRIPLES} to a folder with train.txt, valid.txt and test.txt")
        return
    settings = [text.strip() for text in os.environ.get(SETTINGS, "").split(";")]
    replace_rows("knowledge_graph_settings", _rows(os.environ[TRIPLES], settings))


def _rows(folder: str, settings: list[str]) -> Iterator[Row]:
    from terrarium.kge.data.graph import Graph
    from terrarium.kge.options import Options
    from terrarium.pipelines.knowledge_graph import nodes

    seconds = float(os.environ.get(SECONDS, LONGEST))
    for setting in settings:
        options = Options.model_validate(with_setting(parameters_of("knowledge_graph", "base"), folder, setting))
        source = nodes.read_source(options.source)
        tables = source["entities"], source["relations"]
        triples = nodes.split_triples(source["source_triples"], *tables, options.features)["triples"]
        yield {
            "graph: setting": f"{Path(folder).name}: {setting or 'defaults'}",
            **train_and_test(Graph.from_tables(triples, *tables), options, seconds),
        }


def with_setting(tree: dict[str, Any], folder: str, setting: str) -> dict[str, Any]:
    """Return the family's parameters for a folder of files, with comma-separated NAME=VALUE replaced."""
    tree = copy.deepcopy(tree)
    tree["source"]["path"] = folder
    for given in filter(None, setting.split(",")):
        name, _, value = given.strip().partition("=")
        *blocks, last = name.split(".")
        block = tree
        for each in blocks:
            block = block[each]
        if last not in block:
            raise SystemExit(f"{SETTINGS}: there is no parameter knowledge_graph.{name}")
        block[last] = yaml.safe_load(value)
    return tree


def train_and_test(graph: Any, options: Any, seconds: float) -> dict[str, str]:
    """Train to the patience of the options or for so many CPU seconds, and measure the best epoch.

    Returns:
        epochs and best epoch, CPU seconds of the search of the N3 weight, of the training, and per epoch; validation
        and test MRR, Hits@1 and Hits@10 of the test triples.
    """
    from terrarium.kge.data.graph import TEST
    from terrarium.kge.data.queries import KnownAnswers
    from terrarium.kge.evaluation.ranking import rank_triples
    from terrarium.kge.models.scorer import load_scorer
    from terrarium.kge.training.defaults import fill_training, limit_epochs
    from terrarium.kge.training.search import search_n3_weight
    from terrarium.kge.training.trainer import ScorerTrainer
    from terrarium.training.stopping import EarlyStopping, StoppingState

    start = time.process_time()
    trials = search_n3_weight(graph, options.model, options.training, options.evaluation)
    weight = float(trials.loc[trials["chosen"], "n3_weight"].iloc[0])
    training = fill_training(graph, options.training).with_n3_weight(weight)
    searched = time.process_time()
    trainer = ScorerTrainer(graph, options.model, training, options.evaluation)
    training = limit_epochs(graph, training, len(trainer.queries))
    early = EarlyStopping(training.stopping.patience, training.stopping.min_delta, training.stopping.direction)
    state, epoch, weights, spent = StoppingState(), 0, None, 0.0
    while epoch < training.max_epochs and spent < seconds and not early.should_stop(state):
        epoch += 1
        value = trainer.epoch(epoch)["validation_mrr"]
        state = early.update(state, epoch, value)
        weights = trainer.weights() if state.best_epoch == epoch else weights
        spent = time.process_time() - searched
        print(f"epoch {epoch}: {spent:.0f} CPU s, validation MRR {value:.4f}", flush=True)
    assert weights is not None
    known = KnownAnswers(graph.known_triples, graph.num_relations)
    ranks = rank_triples(load_scorer(weights), graph.splits[TEST], known, options.evaluation)
    return {
        "N3 weight": f"{weight:.3g}",
        "epochs (best)": f"{epoch} ({state.best_epoch})",
        "CPU s, search": f"{searched - start:.0f}",
        "CPU s, training": f"{spent:.0f}",
        "CPU s per epoch": f"{spent / epoch:.2f}",
        "validation MRR": f"{state.best:.4f}",
        "test MRR": f"{(1 / ranks).mean():.4f}",
        "Hits@1": f"{(ranks <= 1).mean():.4f}",
        "Hits@10": f"{(ranks <= 10).mean():.4f}",
    }
