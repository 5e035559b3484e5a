"""The small lexicon of the tests, and a training problem on it."""

from functools import cache
from pathlib import Path

import pandas as pd
from kedro.config import OmegaConfigLoader

from terrarium.pipelines.senses import nodes
from terrarium.pipelines.senses.options import Options
from terrarium.pipelines.senses.problem import Problem
from tests.project import ROOT

WORDNET = Path(__file__).parent / "wordnet"


def options(**changes: object) -> Options:
    """The options of conf/test; keys such as `training__growth__enabled` change one."""
    loader = OmegaConfigLoader(
        str(ROOT / "conf"), env="test", base_env="base", default_run_env="local", merge_strategy={"parameters": "soft"}
    )
    tree = loader["parameters"]["senses"]
    tree["source"]["path"] = str(WORDNET)
    for name, value in changes.items():
        *branches, last = name.split("__")
        place = tree
        for branch in branches:
            place = place[branch]
        assert last in place, name
        place[last] = value
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
