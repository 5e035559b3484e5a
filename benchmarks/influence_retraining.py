"""Does influence predict retraining, and what finds mislabelled triples: the default scorer on one graph.

The graph is that of the folder in TERRARIUM_TRIPLES (train.txt, valid.txt, test.txt). The weight of the N3 penalty is
min(0.1, 1 / mean degree), without a search.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.knowledge_graph_settings import with_setting
from benchmarks.parameters import parameters_of
from benchmarks.results import Row, replace_rows

TRIPLES = "TERRARIUM_TRIPLES"
EPOCHS, SUBSETS, QUERIES, SEEDS = 15, 30, 150, (0, 1, 2)
"""Of the linear datamodelling score; each subset is trained on from every seed."""
DIM = 32
EPOCHS_WITH_MISLABELLED, LABEL_NOISE = 20, 0.05
METHODS = ("as configured", "plain gradients", "factored preconditioner", "shared entity", "random")


def datamodels() -> None:
    """Measure the linear datamodelling score of the default influence, alone and averaged over trainings."""
    _report("influence_averaged", _datamodels)


def mislabelled() -> None:
    """Measure how well self-influence, loss and held-out loss find mislabelled training triples."""
    _report("influence_held_out", _mislabelled)


def _report(name: str, measure: Any) -> None:
    if not os.environ.get(TRIPLES):
        print(f"set {TRIPLES} to a folder with train.txt, valid.txt and test.txt")
        return
    replace_rows(name, measure(os.environ[TRIPLES]), seed=", ".join(map(str, SEEDS if measure is _datamodels else [0])))


def _datamodels(folder: str) -> Iterator[Row]:
    from terrarium.influence.validation.studies import score_datamodels

    table = score_datamodels(study_of(folder, EPOCHS, SEEDS))
    for method in table["method"].astype("str").unique():
        values = table.loc[table["method"] == method, "lds"]
        if method in METHODS or "mean of" in method or "other seeds" in method:
            yield {
                "graph: method": f"{Path(folder).name}: {method}",
                "LDS": f"{values.mean():.3f}",
                "range": f"{values.min():.3f} to {values.max():.3f}",
                "setting": f"{EPOCHS} epochs, {SUBSETS} subsets of {len(SEEDS)} trainings, {QUERIES} queries",
            }


def _mislabelled(folder: str) -> Iterator[Row]:
    from terrarium.influence.validation.studies import detect_mislabelled

    for row in detect_mislabelled(study_of(folder, EPOCHS_WITH_MISLABELLED, SEEDS[:1])).to_dict("records"):
        yield {
            "graph: score": f"{Path(folder).name}: {row['method']}",
            "mislabelled": row["mislabelled"],
            "precision": f"{row['precision']:.3f}",
            "AUC": f"{row['auc']:.3f}",
        }


def study_of(folder: str, epochs: int, seeds: tuple[int, ...]) -> Any:
    """Return the study of the default scorer on the graph in a folder."""
    from terrarium.influence.data.checkpoints import TrainingRun
    from terrarium.influence.data.retraining import Retrainer
    from terrarium.influence.options import Options as InfluenceOptions
    from terrarium.influence.validation.study import Study
    from terrarium.kge.data.graph import Graph
    from terrarium.kge.options import Options
    from terrarium.kge.training.defaults import default_n3_weight, fill_dim, fill_training
    from terrarium.pipelines.knowledge_graph import nodes

    options = Options.model_validate(with_setting(parameters_of("knowledge_graph", "base"), folder, f"model.dim={DIM}"))
    own = InfluenceOptions.model_validate(parameters_of("influence", "base"))
    source = nodes.read_source(options.source)
    tables = source["entities"], source["relations"]
    triples = nodes.split_triples(source["source_triples"], *tables, options.features)["triples"]
    graph = Graph.from_tables(triples, *tables)
    training = fill_training(graph, options.training).with_n3_weight(default_n3_weight(graph))
    retrainer = Retrainer(graph, TrainingRun(fill_dim(graph, options.model), training), options.evaluation, epochs)
    changes = {"num_subsets": SUBSETS, "num_queries": QUERIES, "seeds": list(seeds), "label_noise": LABEL_NOISE}
    return Study(retrainer, own.validation.model_copy(update=changes), own.attribution, own.scoring)
