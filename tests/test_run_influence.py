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
    params = "influence.checkpoints.use=all,influence.scoring.self_influence=true"
    params += ",influence.scoring.gradient_checkpointing=true"
    return root, run(root, "--pipelines=influence", params=params).stdout


def test_a_run_says_what_it_does_and_where_its_results_are(finished):
    root, printed = finished
    for text in (
        "3 query triples",
        "over checkpoints of epochs 1, 2",
        "Gradient checkpointing has no effect",
        "influence.report:",
    ):
        assert text in printed
    scores = load(root, SCORES)
    assert len(scores) == 3 * 2 * 4
    assert scores.groupby(["query", "side"])["rank"].max().eq(4).all()
    assert scores["train_self_influence"].gt(0).all()
    proponents = scores[scores["side"] == "proponent"].groupby("query")["score"]
    assert proponents.apply(lambda part: part.is_monotonic_decreasing).all()


def test_the_reference_files_hold_the_same(finished):
    root, _ = finished
    scores = load(root, SCORES)
    listed = load(root, "07_model_output/influence/scores_json.json")
    assert [len(test["influences"]) for test in listed] == [8, 8, 8]
    strongest = scores["score"].abs().groupby(scores["query"]).idxmax()[0]
    assert listed[0]["influences"][0]["influence"] == scores.loc[strongest, "score"]
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
        "influence.queries.kind=predictions,influence.queries.entity=p01,influence.queries.relation=parent_of,"
        "influence.checkpoints.use=last,influence.attribution.attribution_unit=row,"
        "influence.attribution.preconditioner=exact"
    )
    printed = run(root, "--pipelines=influence", params=params).stdout
    assert "One checkpoint" in printed
    assert len(versions(root, SCORES)) == before + 1
    assert set(load(root, SCORES)["query_head"]) == {"p01"}


def test_bad_input_stops_the_run_with_one_line(finished):
    done = run(finished[0], "--pipelines=influence", params="influence.scoring.top_k=93", check=False)
    assert done.returncode != 0
    assert "influence.scoring.top_k is 93 and there are 92 training triples" in done.stdout


def test_validation_retrains(finished):
    root, _ = finished
    load_versions = versions(root, "06_models/knowledge_graph/checkpoints")[0]
    run(root, "--pipelines=influence_validation", f"--load-versions=knowledge_graph.checkpoints:{load_versions}")
    metrics = load(root, "08_reporting/influence/validation/metrics.json")
    assert {"lds_as_configured", "lds_random", "deletion_influence_2", "mislabelled_loss_auc"} <= set(metrics)
