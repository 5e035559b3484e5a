"""The small lexicon of the tests, and a training problem on it."""

from functools import cache
from pathlib import Path

import pandas as pd

from terrarium.pipelines.senses import nodes
from terrarium.senses.options import Options
from terrarium.senses.training.problem import Problem
from tests.test_parameters import changed, parameters

WORDNET = Path(__file__).parent / "wordnet"


def options(**changes: object) -> Options:
    """The options of conf/test; keys such as `training__growth__enabled` change one."""
    tree = changed(parameters("test")["senses"], {"source__path": str(WORDNET), **changes})
    return Options.model_validate(tree)


@cache
def tables() -> dict[str, pd.DataFrame]:
    """Everything that ingestion and features make of the small lexicon."""
    chosen = options()
    synsets, senses, relations, counts, word_pairs = nodes.read_source(chosen.source)
    pairs = nodes.split_relations(relations, synsets, chosen.features)
    ancestors, unseen, information = nodes.build_ancestors(pairs, synsets)
    items, edges = nodes.build_edges(synsets, senses, relations, chosen.features)
    return {
        "synsets": synsets,
        "senses": senses,
        "relations": relations,
        "counts": counts,
        "word_pairs": word_pairs,
        "pairs": pairs,
        "ancestors": ancestors,
        "unseen": unseen,
        "information": information,
        "items": items,
        "edges": edges,
    }


def problem(chosen: Options | None = None) -> Problem:
    """The training problem of the small lexicon."""
    made, chosen = tables(), chosen or options()
    names = ("synsets", "senses", "pairs", "ancestors", "information")
    return nodes.problem_of(*(made[name] for name in names), chosen.features, chosen.training)
