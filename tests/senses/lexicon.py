"""The small lexicon of the tests, and a training problem on it."""

from functools import cache
from pathlib import Path

import pandas as pd

from terrarium.pipelines.senses import nodes
from terrarium.senses.data.relations import Lexicon
from terrarium.senses.options import Options
from terrarium.senses.training.problem import Problem, build_problem
from tests.test_parameters import changed, parameters

WORDNET = Path(__file__).parent / "wordnet"
PROBLEM_TABLES = ("synsets", "senses", "pairs", "ancestors", "information_content", "spectral")


def options(**changes: object) -> Options:
    """The options of conf/test; keys such as `training__growth__enabled` change one."""
    tree = changed(parameters("test")["senses"], {"source__path": str(WORDNET), **changes})
    return Options.model_validate(tree)


@cache
def tables() -> dict[str, pd.DataFrame]:
    """Everything that ingestion and features make of the small lexicon, by dataset name."""
    chosen = options()
    made = nodes.read_source(chosen.source)
    made["pairs"] = nodes.split_relations(made["relations"], made["synsets"], chosen.features)
    spectral = nodes.build_spectral(
        made["synsets"], made["senses"], made["pairs"], chosen.features, chosen.model, chosen.training
    )
    return {**made, **nodes.build_ancestors(made["pairs"], made["synsets"]), "spectral": spectral}


def lexicon(pairs: pd.DataFrame | None = None) -> Lexicon:
    """The small lexicon with its pairs, or with others."""
    made = tables()
    return Lexicon(made["synsets"], made["senses"], made["pairs"] if pairs is None else pairs, made["relation_counts"])


def problem(chosen: Options | None = None) -> Problem:
    """The training problem of the small lexicon."""
    made, chosen = tables(), chosen or options()
    return build_problem(*(made[name] for name in PROBLEM_TABLES), chosen.training.named_axes)
