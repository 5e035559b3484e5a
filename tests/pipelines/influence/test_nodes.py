"""The steps of the pipeline, called as the pipeline calls them."""

import io

import pandas as pd
import pytest

from terrarium.influence.reporting.figures import first_query_figures
from terrarium.pipelines.influence import nodes
from tests.influence.contexts import influence_options
from tests.influence.runs import reference_files, score, select_queries


def test_the_reference_files_hold_the_scores(trained):
    results = score(trained, select_queries(trained))
    files = reference_files(trained, results)
    assert [len(query["influences"]) for query in files["json"]] == [8, 8, 8]
    assert {query["method"].partition(",")[0] for query in files["json"]} <= {"TracInCP", "TracIn at one checkpoint"}
    written = {one["self_influence"] for query in files["json"] for one in query["influences"]}
    assert written == set(results.scores["train_self_influence"])
    assert set(files["json"][0]["influences"][0]) > {"train_head", "train_tail_name", "influence", "self_influence"}
    table = pd.read_csv(io.StringIO(files["csv"]))
    assert list(table.columns[:2]) == ["TestHead", "TestHead_label"]
    assert list(table.columns[-4:]) == ["TrainTail", "TrainTail_label", "TracInScore", "SelfInfluence"]
    assert len(table.columns) == 14
    assert table["TracInScore"].tolist() == pytest.approx(results.scores["score"].tolist())


def test_no_triple_is_proponent_and_opponent(trained):
    results = score(trained, select_queries(trained), scoring__top_k=92)
    for query in reference_files(trained, results)["json"]:
        triples = [(one["train_head"], one["train_relation"], one["train_tail"]) for one in query["influences"]]
        assert len(set(triples)) == len(triples) <= 92


def test_the_figures_are_of_the_first_query(trained):
    results = score(trained, select_queries(trained))
    figures = first_query_figures(results.scores, influence_options().reporting)
    assert figures["graph"].data
    assert figures["scores"].data


def test_the_checkpoints_are_listed_with_their_learning_rates(trained):
    chosen = influence_options(checkpoints__use="all", checkpoints__num_trainings=2).checkpoints
    table = nodes.list_checkpoints(*trained.tables, trained.checkpoints, chosen)
    assert table["training"].tolist() == [0, 0, 1, 1]
    for _, own in table.groupby("training"):
        assert own[["epoch", "learning_rate"]].to_dict("list") == {"epoch": [1, 2], "learning_rate": [0.003, 0.0015]}
