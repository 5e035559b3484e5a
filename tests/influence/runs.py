"""A trained knowledge graph, and the steps of the pipeline on it."""

from types import SimpleNamespace
from typing import NamedTuple

from terrarium.influence.reporting.report import report_page
from terrarium.pipelines.influence import nodes
from terrarium.training.checkpointing.store import TrainingStore
from tests.influence.contexts import influence_options
from tests.kge.graphs import options, tables, train_graph


class Trained(NamedTuple):
    """Tables (triples, entities, relations), weights and the folder of checkpoints."""

    tables: tuple
    weights: object
    checkpoints: object


def train(folder, own=None, **changes):
    """Train the small graph of the tests, or other tables."""
    chosen, own = options(**changes), own or tables()
    trained = train_graph(chosen, own, TrainingStore(folder / "store"))
    return Trained(own, trained["weights"], trained["checkpoints"].folder)


def select_queries(trained, **changes):
    return nodes.select_queries(
        *trained.tables, trained.weights, trained.checkpoints, influence_options(**changes).queries
    )


def score(trained, queries, **changes):
    """The outputs of the node, as attributes."""
    chosen = influence_options(**changes)
    branches = chosen.checkpoints, chosen.attribution, chosen.scoring, chosen.paths, options().evaluation
    return SimpleNamespace(**nodes.score(*trained.tables, trained.checkpoints, queries, *branches))


def reference_files(trained, results):
    chosen = influence_options()
    table = nodes.list_checkpoints(*trained.tables, trained.checkpoints, chosen.checkpoints)
    return nodes.write_reference_files(results.scores, trained.tables[0], table, chosen.attribution)


def write_report(trained, queries, results, **changes):
    chosen = influence_options(**changes)
    return report_page(
        checkpoint_table=nodes.list_checkpoints(*trained.tables, trained.checkpoints, chosen.checkpoints),
        queries=queries,
        attribution=chosen.attribution,
        reporting=chosen.reporting,
        **vars(results),
    )
