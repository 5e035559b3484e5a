"""Small graphs and options for the tests of the family."""

import numpy as np

from terrarium.kge.data.graph import Graph
from terrarium.kge.options import Options
from terrarium.pipelines.knowledge_graph import nodes
from tests.test_parameters import changed, parameters


def options(**changes):
    """The options of conf/test with changes, such as training__max_epochs=3."""
    return Options.model_validate(changed(parameters("test")["knowledge_graph"], changes))


def tables():
    """Triples, entities and relations of the committed family."""
    chosen = options()
    source = nodes.read_source(chosen.source)
    entities, relations = source["entities"], source["relations"]
    return (
        nodes.split_triples(source["source_triples"], entities, relations, chosen.features)["triples"],
        entities,
        relations,
    )


def train_graph(chosen, given, store):
    """The outputs of the training stage on three tables."""
    branches = chosen.model, chosen.training, chosen.evaluation
    config = nodes.write_config(*given, *branches)
    return nodes.train(*given, config, nodes.choose_n3_weight(*given, config, *branches), store, *branches)


def graph():
    """The committed family as numbers."""
    return Graph.from_tables(*tables())


def random_graph(seed=0, entities=30, relations=4, sizes=(150, 20, 25)):
    """Distinct random triples in three splits."""
    rng = np.random.default_rng(seed)
    drawn = np.stack([rng.integers(n, size=400) for n in (entities, relations, entities)], axis=1)
    drawn = rng.permutation(np.unique(drawn, axis=0))[: sum(sizes)]
    train, valid, test = np.split(drawn, np.cumsum(sizes)[:2])
    return Graph(entities, relations, {"train": train, "validation": valid, "test": test, "test_groups": drawn[:0]})
