"""Whole runs of the influence family through the command line, on a small graph."""

import io

import pandas as pd
import pytest

from tests.project import load, run, versions

SCORES = "07_model_output/influence/scores.parquet"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A data root with a knowledge graph and its influences in it, and what the second run printed."""
    root = tmp_path_factory.mktemp("influence")
    run(root, "--pipelines=knowledge_graph", "--tags=ingestion,features,training")
    params = "influence.evaluation.self_influence=true,influence.evaluation.gradient_checkpointing=true"
    return root, run(root, "--pipelines=influence", params=params).stdout


def test_a_run_says_what_it_does_and_where_its_results_lie(finished):
    root, printed = finished
    for text in (
        "3 triples are asked about",
        "over checkpoints of epochs 1, 2",
        "Gradient checkpointing changes nothing",
        "influence.report:",
    ):
        assert text in printed
    scores = load(root, SCORES)
    assert len(scores) == 3 * 2 * 4
    assert scores.groupby(["test", "side"])["rank"].max().eq(4).all()
    assert scores["self_influence"].gt(0).all()
    proponents = scores[scores["side"] == "proponent"].groupby("test")["score"]
    assert proponents.apply(lambda part: part.is_monotonic_decreasing).all()


def test_the_originals_files_hold_the_same(finished):
    root, _ = finished
    scores = load(root, SCORES)
    listed = load(root, "07_model_output/influence/scores_json.json")
    assert [len(test["influences"]) for test in listed] == [8, 8, 8]
    assert (
        listed[0]["influences"][0]["influence"]
        == scores[scores["test"] == 0].loc[scores["score"].abs().groupby(scores["test"]).idxmax()[0], "score"]
    )
    written = pd.read_csv(io.StringIO(load(root, "07_model_output/influence/scores_csv.csv").read_text()))
    assert len(written.columns) == 14
    assert written["TracInScore"].tolist() == pytest.approx(scores["score"].tolist())
    own = load(root, "07_model_output/influence/self_influence.parquet")
    assert len(own) == 92
    assert own["self_influence"].is_monotonic_decreasing


def test_another_choice_reads_the_same_checkpoints(finished):
    root, _ = finished
    before = len(versions(root, SCORES))
    params = (
        "influence.source.kind=predictions,influence.source.entity=p01,influence.source.relation=parent_of,"
        "influence.model.checkpoints.use=last,influence.features.unit=row,influence.features.precondition=exact"
    )
    printed = run(root, "--pipelines=influence", params=params).stdout
    assert "One checkpoint" in printed
    assert len(versions(root, SCORES)) == before + 1
    assert set(load(root, SCORES)["test_head"]) == {"p01"}


def test_bad_input_stops_the_run_with_one_line(finished):
    done = run(finished[0], "--pipelines=influence", params="influence.evaluation.top=93", check=False)
    assert done.returncode != 0
    assert "evaluation.top is 93 and there are 92 training triples" in done.stdout


def test_validation_retrains(finished):
    root, _ = finished
    load_versions = versions(root, "06_models/knowledge_graph/checkpoints")[0]
    run(root, "--pipelines=influence_validation", f"--load-versions=knowledge_graph.checkpoints:{load_versions}")
    metrics = load(root, "08_reporting/influence/validation/metrics.json")
    assert {"lds_as_configured", "lds_random", "deletion_influence_2", "wrong_loss_auc"} <= set(metrics)
