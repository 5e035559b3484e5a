from copy import deepcopy

import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline

from terrarium.hooks.process.refusals import Refusal
from terrarium.hooks.sources import CheckSources
from tests.test_parameters import parameters


def check(names, saved=None, **changes):
    """Run the hook for nodes of these names, with changed default parameters and saved datasets by name."""
    tree = deepcopy(parameters(None))
    for place, value in changes.items():
        *branches, name = place.split("__")
        branch = tree
        for part in branches:
            branch = branch[part]
        branch[name] = value
    entries = {
        f"params:{family}.{branch}": MemoryDataset(options)
        for family, branches in tree.items()
        if isinstance(branches, dict)
        for branch, options in branches.items()
    }
    entries |= {name: MemoryDataset(table) for name, table in (saved or {}).items()}
    nodes = [Node(lambda: 0, None, f"out{i}", name=name) for i, name in enumerate(names)]
    CheckSources().before_pipeline_run(Pipeline(nodes), DataCatalog(entries))


@pytest.mark.parametrize(
    ("node", "changes", "message"),
    [
        ("hyperbolic.read_source", {"hyperbolic__source__path": "/nowhere.csv"}, "/nowhere.csv does not exist"),
        ("hyperbolic.read_source", {"hyperbolic__source__clade": "Mamalia"}, "did you mean 'Mammalia'"),
        ("senses.read_source", {"senses__source__path": "/nowhere"}, "/nowhere is no folder or archive"),
        (
            "knowledge_graph.read_source",
            {"knowledge_graph__source__kind": "files", "knowledge_graph__source__path": "/nowhere"},
            r"/nowhere/train\.txt is not a file",
        ),
        (
            "scenes.read_source",
            {"scenes__source__recordings": {"a": {"reader": "carla", "path": "/nowhere"}}},
            r"recordings\.a\.path /nowhere is not a folder",
        ),
        ("scenes.embed.read_source", {}, r"no new scenes: give scenes\.embed\.recordings\.new\.path"),
        (
            "scenes.embed.read_source",
            {"scenes__embed__recordings__new__path": "/nowhere"},
            r"scenes\.embed\.recordings\.new\.path /nowhere is not a folder",
        ),
        ("scenes.tu.read_sets", {"scenes__tu__path": "/nowhere"}, "/nowhere.* has no "),
        (
            "influence.select_queries",
            {"influence__queries__kind": "file", "influence__queries__path": "/nowhere"},
            "/nowhere is not a file: set influence.queries.path",
        ),
    ],
)
def test_what_a_run_will_read_is_checked_before_its_first_node(node, changes, message):
    with pytest.raises(Refusal, match=message):
        check([node], **changes)
    check(["another.node"], **changes)


def test_names_of_queries_are_checked_if_the_graph_is_read_in_the_same_run(tmp_path):
    (tmp_path / "train.txt").write_text("a\tr\tb\n")
    (tmp_path / "queries.txt").write_text("a\tr\tnobody\n")
    changes = {
        "influence__queries__kind": "file",
        "influence__queries__path": str(tmp_path / "queries.txt"),
        "knowledge_graph__source__kind": "files",
        "knowledge_graph__source__path": str(tmp_path),
        "knowledge_graph__source__valid": None,
        "knowledge_graph__source__test": None,
        "knowledge_graph__source__entity_dictionary": None,
        "knowledge_graph__source__relation_dictionary": None,
    }
    check(["influence.select_queries"], **changes)
    with pytest.raises(Refusal, match=r"queries\.txt line 1: the graph has no entity 'nobody'"):
        check(["influence.select_queries", "knowledge_graph.read_source"], **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"entity": "nobody"}, "no entity 'nobody'"),
        ({"entity": "a", "relation": "knows"}, "knows"),
    ],
)
def test_names_of_queries_are_checked_by_the_graph_that_an_earlier_run_saved(changes, message):
    saved = {
        "knowledge_graph.entities": pd.DataFrame({"entity": ["a", "b"], "name": ["a", "b"]}),
        "knowledge_graph.relations": pd.DataFrame({"relation": ["r"], "name": ["r"]}),
    }
    given = {f"influence__queries__{name}": value for name, value in {"kind": "predictions", **changes}.items()}
    check(["influence.select_queries"], **given)
    with pytest.raises(Refusal, match=message):
        check(["influence.select_queries"], saved, **given)
