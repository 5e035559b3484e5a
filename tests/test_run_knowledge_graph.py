"""Whole runs of the knowledge graph family through the command line, on a small graph."""

import json

import pytest

from tests.project import kedro, load, run, versions

WEIGHTS = "06_models/knowledge_graph/weights.safetensors"
METRICS = "08_reporting/knowledge_graph/metrics.json"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A data root with one whole run in it, and what the run printed."""
    root = tmp_path_factory.mktemp("knowledge_graph")
    return root, run(root, "--pipelines=knowledge_graph").stdout


def test_a_run_says_what_it_does_and_where_its_results_lie(finished):
    root, printed = finished
    for text in (
        "120 triples, 44 entities",
        "Device: cpu",
        "Test, filtered, both sides: MRR",
        "knowledge_graph.report:",
    ):
        assert text in printed
    predictions = load(root, "07_model_output/knowledge_graph/predictions.parquet")
    assert predictions["head"].tolist() == ["p01"] * 3
    config = load(root, "05_model_input/knowledge_graph/run_config.json")
    assert set(config["optimizations"]) == {
        "use_mixed_precision",
        "use_gradient_checkpointing",
        "enable_memory_cleanup",
    }


def test_evaluation_alone_reads_the_newest_weights_and_trains_nothing(finished):
    root, _ = finished
    before = versions(root, WEIGHTS)
    run(root, "--pipelines=knowledge_graph", "--tags=evaluation,reporting")
    assert versions(root, WEIGHTS) == before
    first, last = (load(root, METRICS, stamp) for stamp in versions(root, METRICS)[:: len(versions(root, METRICS)) - 1])
    assert {k: v for k, v in first.items() if "seconds" not in k} == {
        k: v for k, v in last.items() if "seconds" not in k
    }


def test_files_without_splits_are_split_here_and_a_recipe_runs(tmp_path):
    folder = tmp_path / "graph"
    folder.mkdir()
    lines = [f"a{i}\tr{i % 2}\tb{(i * 7) % 40}\n" for i in range(200)]
    (folder / "all.txt").write_text("".join(lines))
    given = {"source.kind": "files", "source.path": folder, "source.train": "all.txt", "source.valid": "null"}
    given |= {"source.test": "null", "model.dim": 16, "model.output_channels": 4, "training.max_epochs": 1}
    params = ",".join([f"data_root={tmp_path}", *(f"knowledge_graph.{name}={value}" for name, value in given.items())])
    recipe = "--env=recipes/knowledge_graph/conve_max_memory_savings"
    printed = kedro("run", recipe, "--pipelines=knowledge_graph", f"--params={params}").stdout
    assert "Gradient checkpointing: a batch keeps" in printed
    assert "use_mixed_precision: on, use_gradient_checkpointing: on, enable_memory_cleanup: on" in printed
    counts = load(tmp_path, "03_primary/knowledge_graph/split_counts.json")
    assert counts["train_triples"] > counts["test_triples"] > 0
    assert load(tmp_path, "05_model_input/knowledge_graph/run_config.json")["training"]["batch_size"] == 1024


def test_kgx_runs_from_end_to_end(tmp_path):
    nodes = [{"id": f"C:{i}", "category": ["biolink:Gene"]} for i in range(40)]
    edges = [{"subject": f"C:{i}", "predicate": "biolink:affects", "object": f"C:{i * 3 % 40}"} for i in range(40)]
    for name, rows in (("nodes", nodes), ("edges", edges)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    params = (
        f"knowledge_graph.source.kind=kgx,knowledge_graph.source.path={tmp_path},knowledge_graph.source.style=keepall,"
        "knowledge_graph.evaluation.predict.heads=[C:1],knowledge_graph.evaluation.predict.relation=affects"
    )
    run(tmp_path, "--pipelines=knowledge_graph", "--tags=ingestion,features,training", params=params)
    assert load(tmp_path, "01_raw/knowledge_graph/source_counts.json")["edges_kept"] == 40


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("knowledge_graph.source.path=/nowhere", "is not a file: set source.path"),
        ("knowledge_graph.model.embedding_height=3", "is 15, not dim 16"),
        ("knowledge_graph.training.precision=16-mixed", "16-mixed needs a GPU"),
        ("knowledge_graph.evaluation.predict.relation=eats", "the graph has no relation 'eats'"),
        (
            "knowledge_graph.training.stopping.metric=mrr",
            "stopping.metric: input should be 'auto', 'loss'",
        ),
        ("knowledge_graph.source.kind=kgx", "set source.path, source.nodes and source.edges"),
    ],
)
def test_bad_input_stops_the_run_with_one_line(tmp_path, params, message):
    done = run(tmp_path, "--pipelines=knowledge_graph", params=params, check=False)
    assert done.returncode != 0
    assert message in done.stdout
    assert not (tmp_path / "06_models").exists()
