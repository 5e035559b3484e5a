"""Whole runs through the command line at tiny size, as a user makes them."""

import os
import signal
import subprocess
import time

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.project import KEDRO, ROOT, environment, kedro, load, run, versions

WEIGHTS, EDGES = "06_models/hyperbolic/weights.safetensors", "02_intermediate/hyperbolic/edges.parquet"
METRICS, MANIFEST = "08_reporting/hyperbolic/metrics.json", "08_reporting/runs/manifest.json"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A data root with one whole run in it, and what the run printed."""
    root = tmp_path_factory.mktemp("finished")
    return root, run(root, "--pipelines=hyperbolic").stdout


def test_a_run_says_where_its_results_are(finished):
    root, printed = finished
    for name in ("report", "vectors", "metrics"):
        line = next(line for line in printed.splitlines() if f"hyperbolic.{name}: " in line)
        assert os.path.isfile(line.split(f"hyperbolic.{name}: ")[1].strip())
        assert str(root) in line


def test_every_artifact_has_one_version_of_the_run(finished):
    root, _ = finished
    (stamp,) = versions(root, MANIFEST)
    folders = {path.parent.parent for path in root.rglob("*") if path.is_file() and stamp in path.parts}
    assert len(folders) > 20
    assert not list(root.rglob("*.partial"))


def test_the_manifest_records_the_run(finished):
    root, _ = finished
    manifest = load(root, MANIFEST)
    assert manifest["status"] == "finished"
    assert manifest["written"]["hyperbolic.weights"] == versions(root, WEIGHTS)[0]
    assert manifest["seeds"]["hyperbolic.training.seed"] == 0
    assert manifest["parameters"]["hyperbolic"]["model"]["dim"] == 3


def test_vectors_have_names_and_are_inside_the_ball(finished):
    vectors = load(finished[0], "07_model_output/hyperbolic/vectors.parquet")
    points = vectors[["x0", "x1", "x2"]].to_numpy()
    assert (np.linalg.norm(points, axis=1) < 1).all()
    assert list(vectors.columns[:6]) == ["id", "name", "rank", "depth", "parent", "radius"]
    assert vectors.set_index("name").loc["Homo sapiens", "id"] == 9606
    assert np.allclose(np.tanh(vectors["radius"] / 2), np.linalg.norm(points, axis=1))


def test_the_history_has_norms_before_and_after_projection(finished):
    history = load(finished[0], "06_models/hyperbolic/history.parquet")
    assert len(history) == 3
    assert (history["fraction_outside"] == 0).all()
    assert (history["max_norm_before_projection"] >= history["max_norm"]).all()


def test_the_report_is_one_page_without_the_network(finished):
    page = load(finished[0], "08_reporting/hyperbolic/report.html").read_text(encoding="utf-8")
    body = page[page.index("<body>") :]
    assert "Hominidae" in body or "9604" in body
    assert 'src="http' not in body
    assert 'href="http' not in body


def test_evaluation_alone_reads_the_newest_weights_and_trains_nothing(finished):
    root, _ = finished
    before = versions(root, WEIGHTS)
    run(root, "--pipelines=hyperbolic", "--tags=evaluation")
    assert versions(root, WEIGHTS) == before
    stamps = versions(root, METRICS)
    assert load(root, METRICS, stamps[-1]) == load(root, METRICS, stamps[0])
    assert load(root, MANIFEST)["read"]["hyperbolic.weights"] == before[-1]


def test_from_nodes_and_the_old_spelling(finished):
    root, _ = finished
    before = versions(root, WEIGHTS)
    run(root, "--pipeline=hyperbolic", "--from-nodes=hyperbolic.evaluate")
    assert versions(root, WEIGHTS) == before


def test_weights_are_never_scored_on_other_taxa(finished):
    root, _ = finished
    trained_on = versions(root, EDGES)[0]
    run(
        root,
        "--pipelines=hyperbolic",
        "--tags=ingestion",
        params="hyperbolic.source.clade=9443,hyperbolic.source.max_depth=4",
    )
    newest = versions(root, EDGES)[-1]
    assert newest != trained_on
    done = run(root, "--pipelines=hyperbolic", "--tags=evaluation")
    assert f"hyperbolic.edges: reading version {trained_on}, not the newest {newest}" in done.stdout
    assert load(root, MANIFEST)["read"]["hyperbolic.edges"] == trained_on
    pins = f"--load-versions=hyperbolic.weights:{versions(root, WEIGHTS)[0]},hyperbolic.edges:{newest}"
    refused = run(root, "--pipelines=hyperbolic", "--tags=evaluation", pins, check=False)
    assert refused.returncode != 0
    assert "the weights belong to other taxa" in refused.stdout.splitlines()[-1]
    belongs = f"hyperbolic.edges:{newest} was named, but hyperbolic.weights:"
    assert any(belongs in line and trained_on in line for line in refused.stdout.splitlines())
    assert load(root, MANIFEST)["status"] == "failed"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("hyperbolic.model.dims=3", "hyperbolic.model.dims does not exist: did you mean dim?"),
        ("hyperbolic.modle.dim=3", "hyperbolic.modle does not exist: did you mean model?"),
        ("data_roots=x", "data_roots does not exist: did you mean data_root?"),
        ("hyperbolic.training.batch_size=many", "hyperbolic.training.batch_size: input should be a valid integer"),
        ("hyperbolic.source.clade=Drosophila", "names 3 taxa"),
        ("hyperbolic.source.clade=Homo sapens", "did you mean 'Homo sapiens'?"),
        ("hyperbolic.source.clade=63221", "a single node"),
        ("hyperbolic.reporting.disk_rank=ordre", "unknown rank 'ordre': did you mean order"),
        ("hyperbolic.training.device=tpu", "Unknown device 'tpu'"),
        ("hyperbolic.source.path=/nowhere.csv", "source.path /nowhere.csv does not exist: check the path"),
    ],
)
def test_wrong_parameters_end_in_a_clear_line_and_train_nothing(tmp_path, params, message):
    done = run(tmp_path, "--pipelines=hyperbolic", params=params, check=False)
    assert done.returncode != 0
    assert message in "\n".join(done.stdout.splitlines()[-2:])
    assert not (tmp_path / WEIGHTS).exists()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("child,parent\n1,2\n2,3\n3,1", "cycle 1 -> 2 -> 3 -> 1"),
        ("id,parent\n1,\n2,7", "line 3: the parent '7' is not among the ids"),
        ("child,parent\n1,2\n3,4", "2 roots"),
        ("id,parent\n1,", "a single node"),
        ("id,parent", "has no rows: give at least two nodes"),
    ],
)
def test_tables_that_are_no_tree_end_in_a_clear_line(tmp_path, rows, message):
    (tmp_path / "own.csv").write_text(rows + "\n", encoding="utf-8")
    params = f"hyperbolic.source.path={tmp_path}/own.csv,hyperbolic.source.select=all"
    done = run(tmp_path / "data", "--pipelines=hyperbolic", params=params, check=False)
    assert done.returncode != 0
    assert message in done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("rows", "taxa"),
    [
        ("child,parent\n1,1\n2,1", 2),
        ("child,parent\n1,2\n1,2", 2),
        ("id,parent\n1,\n2,1\n3,1", 3),
        ("id,parent\n1,\n2,1\n3,2", 3),
    ],
    ids=["root is its own parent", "a row twice", "two leaves", "a chain"],
)
def test_the_smallest_trees_run(tmp_path, rows, taxa):
    """Two taxa are one pair, over which some metrics are undefined: these are left out, and the report is made."""
    (tmp_path / "own.csv").write_text(rows + "\n", encoding="utf-8")
    params = f"hyperbolic.source.path={tmp_path}/own.csv,hyperbolic.source.select=all"
    run(tmp_path / "data", "--pipelines=hyperbolic", params=params)
    metrics = load(tmp_path / "data", METRICS)
    assert metrics["taxa"] == taxa
    assert all(np.isfinite(value) for name, value in metrics.items() if name != "layout")
    assert versions(tmp_path / "data", "08_reporting/hyperbolic/report.html")


def test_a_users_own_table(tmp_path):
    rows = "\n".join(f"{i},{i // 3},taxon {i} & co <b>,{'genus' if i < 12 else 'species'}" for i in range(1, 60))
    (tmp_path / "own.csv").write_text(f"id,parent,name,rank\n0,,root,family\n{rows}\n", encoding="utf-8")
    params = f"hyperbolic.source.path={tmp_path}/own.csv,hyperbolic.source.select=all"
    run(tmp_path / "data", "--pipelines=hyperbolic", params=params)
    assert load(tmp_path / "data", METRICS)["taxa"] == 60


def test_a_killed_training_resumes_to_the_same_bits(tmp_path):
    params = "hyperbolic.source.clade=9443,hyperbolic.training.max_epochs=6,hyperbolic.training.stopping.patience=0"
    run(tmp_path / "whole", "--pipelines=hyperbolic", params=params)
    killed = tmp_path / "killed"
    arguments = ["run", "--env=test", "--pipelines=hyperbolic", f"--params=data_root={killed},{params}"]
    process = subprocess.Popen([str(KEDRO), *arguments], cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(killed.glob("06_models/hyperbolic/training_state/*/epoch_*2.safetensors")):
        assert process.poll() is None, "the run ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (killed / WEIGHTS).exists()
    done = run(killed, "--pipelines=hyperbolic", params=params)
    assert "epoch 1/6" not in done.stdout
    found, wanted = (load_file(load(root, WEIGHTS)) for root in (killed, tmp_path / "whole"))
    assert all((found[name] == wanted[name]).all() for name in wanted)


def test_patience_stops_early_and_says_so(tmp_path):
    stopping = "hyperbolic.training.stopping.min_delta=10,hyperbolic.training.stopping.patience=2"
    params = f"hyperbolic.training.max_epochs=50,{stopping}"
    run(tmp_path, "--pipelines=hyperbolic", params=params)
    summary = load(tmp_path, "06_models/hyperbolic/training_summary.json")
    assert summary["epochs"] < 10
    assert "2 epochs" in summary["stop_reason"]


def test_every_registered_pipeline_runs(tmp_path):
    listed = subprocess.run(
        [str(KEDRO), "registry", "list"], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    ).stdout
    names = [line.removeprefix("- ").strip() for line in listed.splitlines() if line.startswith("- ")]
    studies = {"hyperbolic_placement", "hyperbolic_links", "hyperbolic_associations", "influence_validation"}
    studies |= {"claims", "leaderboard", "scenes_embed", "scenes_tu", "senses_reference"}
    assert set(names) == {"__default__", "hyperbolic", "influence", "knowledge_graph", "scenes", "senses"} | studies
    run(tmp_path)
    assert versions(tmp_path, METRICS)


@pytest.mark.parametrize("loss", ["margin_ranking", "distance_softmax"])
def test_the_other_losses_and_options_run(tmp_path, loss):
    given = {
        "training.loss.name": loss,
        "training.loss.pair_weights": "sqrt_depth",
        "training.optimizer.train_radius": "false",
        "model.init": "random",
        "features.radius_schedule": "hyperbolic",
        "source.clean": "true",
        "training.sampler.hard_negatives": "0",
        "training.checkpoints.keep_every": "2",
    }
    params = ",".join(f"hyperbolic.{name}={value}" for name, value in given.items())
    run(tmp_path, "--pipelines=hyperbolic", params=params)
    assert load(tmp_path, METRICS)["fraction_outside"] == 0


def test_a_reference_recipe_runs_and_reports_points_outside_the_ball(tmp_path):
    given = {
        "source.select": "clade",
        "source.clade": "9604",
        "source.legacy.max_tax_id": "null",
        "training.max_epochs": "3",
        "training.optimizer.learning_rate": "0.2",
        "reporting.disk_rank": "genus",
        "evaluation.ranks": "[genus]",
    }
    params = ",".join([f"data_root={tmp_path}", *(f"hyperbolic.{name}={value}" for name, value in given.items())])
    kedro("run", "--env=recipes/hyperbolic/v1", "--pipelines=hyperbolic", f"--params={params}")
    history, metrics = load(tmp_path, "06_models/hyperbolic/history.parquet"), load(tmp_path, METRICS)
    best = history[history["best"]].iloc[0]
    assert metrics["fraction_outside"] == best["fraction_outside"]
    assert metrics["max_norm"] == best["max_norm"]
    weights = load_file(load(tmp_path, WEIGHTS))
    assert weights["norm"].max() == metrics["max_norm"]
    vectors = load(tmp_path, "07_model_output/hyperbolic/vectors.parquet")
    assert (np.linalg.norm(vectors[[f"x{i}" for i in range(10)]].to_numpy(), axis=1) < 1).all()


def test_held_out_taxa_are_placed_and_held_out_links_classified(finished):
    root, _ = finished
    run(root, "--pipelines=hyperbolic_placement,hyperbolic_links")
    placed = load(root, "07_model_output/hyperbolic/placement/placements.parquet")
    taxa = load(root, "02_intermediate/hyperbolic/placement/taxa.parquet")
    assert not set(placed["id"]) & set(taxa["id"])
    assert set(placed["by_distances"]) | set(placed["parent"]) <= set(taxa["name"])
    assert 0.0 <= load(root, "08_reporting/hyperbolic/placement/metrics.json")["placement_exact_leaf_distances"] <= 1.0
    assert 0.0 <= load(root, "08_reporting/hyperbolic/links/metrics.json")["link_f1_detour"] <= 1.0
    before = len(versions(root, "06_models/hyperbolic/links/weights.safetensors"))
    run(root, "--pipelines=hyperbolic_links", "--tags=evaluation")
    assert len(versions(root, "06_models/hyperbolic/links/weights.safetensors")) == before
