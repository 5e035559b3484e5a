"""Whole runs of the scenes family through the command line, on a few simulated scenes."""

import numpy as np
import pytest

from tests.project import load, run, versions

WEIGHTS, METRICS = "06_models/scenes/weights.safetensors", "08_reporting/scenes/metrics.json"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A data root with one whole run in it, and what the run printed."""
    root = tmp_path_factory.mktemp("scenes")
    return root, run(root, "--pipelines=scenes").stdout


def test_every_artifact_has_one_version_of_the_run(finished):
    root, printed = finished
    (stamp,) = versions(root, METRICS)
    folders = {path.parent.parent for path in root.rglob("*") if path.is_file() and stamp in path.parts}
    assert len(folders) > 20
    assert not list(root.rglob("*.partial"))
    assert f"scenes.report: {root}" in printed


def test_the_log_is_an_artifact(finished):
    root, _ = finished
    text = load(root, "06_models/scenes/training_log.log").read_text(encoding="utf-8")
    assert "epoch 3, cycle 1" in text
    assert "warm-up factor" in text


def test_evaluation_alone_reads_the_newest_weights_and_trains_nothing(finished):
    root, _ = finished
    before = versions(root, WEIGHTS)
    run(root, "--pipelines=scenes", "--tags=evaluation,reporting")
    assert versions(root, WEIGHTS) == before
    stamps = versions(root, METRICS)
    assert load(root, METRICS, stamps[-1]) == load(root, METRICS, stamps[0])


def test_weights_are_never_measured_on_what_they_were_trained_on(finished):
    """Another split, and then evaluation alone: the run takes the split of the weights, not the newest."""
    root, _ = finished
    first = load(root, METRICS)
    run(root, "--pipelines=scenes", "--tags=features", params="scenes.features.seed=5")
    run(root, "--pipelines=scenes", "--tags=evaluation")
    assert load(root, METRICS) == first


def test_recordings_of_one_s_own_are_a_source(finished, tmp_path):
    root, _ = finished
    own = tmp_path / "own"
    own.mkdir()
    tracks = load(root, "01_raw/scenes/tracks.parquet")
    tracks[tracks["source"] == "real"].assign(scene=lambda t: "own/" + t["scene"]).to_parquet(own / "tracks.parquet")
    load(root, "01_raw/scenes/lanes.parquet").to_parquet(own / "lanes.parquet")
    run(tmp_path, "--pipelines=scenes", params=f"scenes.source.recordings.mine.path={own}")
    assert set(load(tmp_path, "04_feature/scenes/graph_index.parquet")["source"]) == {"mine", "simulation"}
    assert load(tmp_path, "08_reporting/scenes/coverage.parquet")["scene"].str.startswith("own/").all()


def test_new_scenes_are_embedded_by_the_weights_of_a_run(finished, tmp_path):
    root, _ = finished
    lanes, tracks = load(root, "01_raw/scenes/lanes.parquet"), load(root, "01_raw/scenes/tracks.parquet")
    tracks[tracks["scene"] == tracks["scene"].iloc[0]].to_parquet(tmp_path / "tracks.parquet")
    lanes.to_parquet(tmp_path / "lanes.parquet")
    before = versions(root, WEIGHTS)
    printed = run(root, "--pipelines=scenes_embed", params=f"scenes.embed.recordings.new.path={tmp_path}").stdout
    assert versions(root, WEIGHTS) == before
    known = load(root, "07_model_output/scenes/embeddings.parquet").filter(regex=r"^x\d+$")
    new = load(root, "07_model_output/scenes/embed/embeddings.parquet").filter(regex=r"^x\d+$")
    assert np.abs(known.to_numpy()[:, None] - new.to_numpy()[None]).max(axis=2).min(axis=0) == pytest.approx(
        0, abs=1e-5
    )
    assert load(root, "07_model_output/scenes/embed/novelty.parquet")["novelty_p"].between(0, 1).all()
    assert f"scenes.embed.report: {root}" in printed


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("scenes.source.simulator.variants.real.scenes=0", "recorded is null and there is no recording: name a source"),
        ("scenes.model.depth=3", "scenes.model.depth does not exist"),
        (
            "scenes.source.recordings.a.reader=tables,scenes.source.recordings.a.path=/nowhere",
            "scenes.source.recordings.a.path /nowhere is not a folder: check the path",
        ),
        (
            "scenes.source.recordings.a.reader=tables,scenes.source.recordings.a.path=docs",
            "docs has no tracks.parquet: give a folder",
        ),
    ],
)
def test_bad_input_stops_the_run_with_one_line(tmp_path, params, message):
    done = run(tmp_path, "--pipelines=scenes", params=params, check=False)
    assert done.returncode != 0
    assert message in done.stdout


def test_tu_sets_are_asked_for_by_their_folder(tmp_path):
    done = run(tmp_path, "--pipelines=scenes_tu", check=False)
    assert "scenes.tu.path is null" in done.stdout
