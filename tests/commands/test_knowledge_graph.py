"""Predictions, explanations and matrices on a terminal."""

import json

import pytest

import terrarium
from tests.commands.asking import ask
from tests.project import ROOT, run


@pytest.fixture(scope="module")
def family(tmp_path_factory):
    """A data root with a trained graph."""
    folder = tmp_path_factory.mktemp("family")
    run(folder, "--pipelines=knowledge_graph")
    return folder


def test_predict_prints_the_open_part(family):
    done = ask(family, "predict", "--head", "p01", "--relation", "lives_in", "-k", "2", "--json")
    assert [record["rank"] for record in json.loads(done.stdout)] == [1, 2]
    assert ask(family, "predict", "--head", "p01").stderr.strip().endswith("the third is predicted")


def test_explain_names_training_triples(family):
    done = ask(family, "explain", "p01", "lives in", "town_1", "-k", "2", "--json")
    records = json.loads(done.stdout)
    assert {record["side"] for record in records} == {"proponent", "opponent"}
    graph = terrarium.load("knowledge_graph", data_root=family, project=ROOT)
    for record in records:
        known = graph.predict(
            record["head"], record["relation"].replace(" ", "_"), k=100, known=True, among=[record["tail"]]
        )
        assert known["known"].tolist() == ["train"]


def test_a_matrix_of_a_category_that_is_not_there_ends_in_one_line(family, tmp_path):
    done = ask(family, "score-matrix", "person", "place", "lives_in", str(tmp_path / "pairs.parquet"))
    assert done.returncode == 1
    assert "no entity has the category 'person'" in done.stderr
    assert "Traceback" not in done.stderr
