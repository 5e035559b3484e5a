"""Whole runs of the senses family through the command line, on a small lexicon."""

import pytest

from tests.project import load, run, versions

WEIGHTS, METRICS = "06_models/senses/weights.safetensors", "08_reporting/senses/metrics.json"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A data root with one whole run in it, and what the run printed."""
    root = tmp_path_factory.mktemp("senses")
    return root, run(root, "--pipelines=senses").stdout


def test_a_run_logs_what_it_does_and_where_its_results_are(finished):
    root, printed = finished
    for text in (
        "Dynamic dimensions enabled: 24 -> max 40",
        "Early stopping enabled: patience=10, min_delta=0.0001",
        "Dimension statistics:",
        "Training completed in",
        f"senses.report: {root}",
    ):
        assert text in printed


def test_every_artifact_has_one_version_of_the_run(finished):
    root, _ = finished
    (stamp,) = versions(root, METRICS)
    folders = {path.parent.parent for path in root.rglob("*") if path.is_file() and stamp in path.parts}
    assert len(folders) > 20
    assert not list(root.rglob("*.partial"))


def test_evaluation_alone_reads_the_newest_weights_and_trains_nothing(finished):
    root, _ = finished
    before = versions(root, WEIGHTS)
    run(root, "--pipelines=senses", "--tags=evaluation,reporting")
    assert versions(root, WEIGHTS) == before
    stamps = versions(root, METRICS)
    assert load(root, METRICS, stamps[-1]) == load(root, METRICS, stamps[0])


def test_weights_are_never_measured_on_what_they_were_trained_on(finished):
    """Another split, and then evaluation alone: the run takes the split of the weights, not the newest."""
    root, _ = finished
    first = load(root, METRICS)
    run(root, "--pipelines=senses", "--tags=features", params="senses.features.seed=5")
    run(root, "--pipelines=senses", "--tags=evaluation")
    assert load(root, METRICS) == first


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("senses.source.path=/nowhere", "source.path /nowhere is no folder or archive: give WordNet's data.*"),
        ("senses.source.path=docs", "source.path docs has no data.noun: give WordNet's data.*"),
        ("senses.training.growth.max_dim=8", "max_dim 8 is below model.dim 24"),
        ("senses.training.growth.expand_interval=0", "expand_interval"),
        ("senses.training.memory_limit_gb=0.000001", "lower model.dim"),
        ("senses.training.objective=documented", "--pipelines=senses_reference"),
    ],
)
def test_bad_input_stops_the_run_with_one_line(tmp_path, params, message):
    done = run(tmp_path, "--pipelines=senses", params=params, check=False)
    assert done.returncode != 0
    assert message in done.stdout


def test_a_batch_larger_than_the_data_is_clipped_with_a_notice(tmp_path):
    printed = run(tmp_path, "--pipelines=senses", params="senses.training.batch_size=1048576").stdout
    assert "Batch size 1048576 exceeds the" in printed


def test_the_reference_pipeline_runs_on_its_own(tmp_path):
    printed = run(tmp_path, "--pipelines=senses_reference").stdout
    assert "Reinitialized optimizer with new dimensions" in printed
    assert len(load(tmp_path, "04_feature/senses/reference/edges.parquet")) > 0
    assert load(tmp_path, "08_reporting/senses/reference/metrics.json")["dim"] == 40
    assert not (tmp_path / "06_models/senses/weights.safetensors").exists()
