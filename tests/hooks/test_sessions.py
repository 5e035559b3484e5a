"""The hooks in real Kedro sessions, on a small project of their own."""

from hashlib import sha256

import pytest
from kedro.io.core import DatasetError
from kedro.runner import ParallelRunner, SequentialRunner, ThreadRunner


def test_evaluation_follows_the_weights_and_not_newer_taxa(mini, lines):
    first = mini.run("mammals")
    second = mini.run("birds", tags=["ingestion"])
    third = mini.run("birds", tags=["evaluation"])
    assert mini.load("f.metrics", third) == {"taxa": "mammals", "weights": "mammals"}
    assert mini.load("runs.manifest", third)["read"] == {"f.taxa": first, "f.weights": first}
    (line,) = [line for line in lines if line.startswith("f.taxa: reading")]
    assert f"not the newest {second}, because f.weights:{first}" in line
    assert f"--load-versions=f.taxa:{second}" in line


def test_versions_that_the_user_names_are_read(mini):
    first = mini.run("mammals")
    mini.run("birds")
    third = mini.run(tags=["evaluation"], load_versions={"f.weights": first})
    assert mini.load("f.metrics", third) == {"taxa": "mammals", "weights": "mammals"}


@pytest.mark.parametrize("runner", [SequentialRunner, ThreadRunner, ParallelRunner])
def test_a_run_reads_its_own_artifacts_though_newer_ones_exist(mini, runner):
    newer = {"f.taxa": {"name": "birds"}, "f.edges": {"of": "birds"}, "f.weights": {"trained_on": "birds"}}
    for name, content in newer.items():
        mini.save(name, "2999-01-01T00.00.00.000Z", content)
    own = mini.run("mammals", runner=runner())
    assert mini.load("f.metrics", own) == {"taxa": "mammals", "weights": "mammals"}
    manifest = mini.load("runs.manifest", own)
    assert manifest["status"] == "finished"
    assert manifest["written"] == dict.fromkeys(["f.edges", "f.metrics", "f.taxa", "f.weights"], own)


def test_the_older_of_two_runs_at_once_reads_its_own_artifacts(mini):
    mini.meanwhile(lambda: mini.run("birds"))
    own = mini.run("mammals")
    assert mini.load("f.metrics", own) == {"taxa": "mammals", "weights": "mammals"}


def test_interleaved_runs_leave_a_manifest_each(mini):
    inner = []
    mini.meanwhile(lambda: inner.append(mini.run("birds")))
    outer = mini.run("mammals")
    for version, name in ((outer, "mammals"), (inner[0], "birds")):
        manifest = mini.load("runs.manifest", version)
        assert manifest["status"] == "finished"
        assert manifest["parameters"]["f"]["source"]["name"] == name


def test_a_failed_run_leaves_a_manifest_that_says_where(mini):
    with pytest.raises(ValueError, match="training failed"):
        mini.run(fail=True)
    manifest = mini.load("runs.manifest")
    assert (manifest["status"], manifest["failed_at"]) == ("failed", "f.train")
    assert manifest["error"] == "ValueError: training failed"
    assert sorted(manifest["written"]) == ["f.edges", "f.taxa"]
    assert manifest["ended"] >= manifest["started"]


def test_a_run_that_is_going_on_has_a_manifest(mini):
    seen = []
    mini.meanwhile(lambda: seen.append(mini.load("runs.manifest")))
    mini.run()
    assert seen[0]["status"] == "running"
    assert sorted(seen[0]["written"]) == ["f.edges", "f.taxa"]


def test_only_missing_outputs_reads_what_is_there(mini):
    with pytest.raises(ValueError, match="training failed"):
        mini.run("mammals", fail=True)
    later = mini.run("birds", only_missing_outputs=True)
    assert mini.load("f.metrics", later) == {"taxa": "mammals", "weights": "mammals"}
    manifest = mini.load("runs.manifest", later)
    assert sorted(manifest["written"]) == ["f.metrics", "f.weights"]
    assert sorted(manifest["read"]) == ["f.edges", "f.taxa"]


def test_an_input_that_was_never_made_names_the_command(mini):
    with pytest.raises(Exception, match=r"f\.weights was never made.*f\.train, tags training.*--to-outputs=f\.weights"):
        mini.run(tags=["evaluation"])


def test_a_project_without_manifests_reads_the_newest_and_warns(mini, lines):
    mini.run("mammals")
    mini.run("birds", tags=["ingestion"])
    for manifest in (mini.folder / "data" / "runs.manifest.json").rglob("*.json"):
        if manifest.is_file():
            manifest.unlink()
    third = mini.run(tags=["evaluation"])
    assert mini.load("f.metrics", third) == {"taxa": "birds", "weights": "mammals"}
    assert any("No run manifest says" in line for line in lines)


def test_the_results_are_announced_at_the_end(mini, lines):
    version = mini.run()
    assert lines[-1].endswith(f"f.metrics.json/{version}/f.metrics.json")


FUTURE = "2999-01-01T00.00.00.000Z"


@pytest.mark.parametrize("runner", [SequentialRunner, ParallelRunner])
def test_a_clock_that_is_behind_does_not_hide_a_run(mini, lines, runner):
    ahead = mini.run("birds")
    for name in ("runs.manifest", "f.taxa", "f.edges", "f.weights", "f.metrics"):
        folder = mini.path(name, ahead).parent
        folder.rename(folder.with_name(FUTURE))
    mini.run("mammals", runner=runner())
    assert any(line.startswith(f"The clock is behind run {FUTURE}") for line in lines)
    mini.run(tags=["evaluation"])
    assert mini.load("f.metrics") == {"taxa": "mammals", "weights": "mammals"}
    stamps = sorted(path.name for path in (mini.folder / "data/f.metrics.json").iterdir())
    assert len(stamps) == 3
    assert all(stamp > FUTURE for stamp in stamps[1:])


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"format": 1}', b'{"nodes": {"a": 1}}'])
def test_a_damaged_manifest_is_named_and_ignored(mini, lines, content):
    first = mini.run("mammals")
    mini.path("runs.manifest", first).write_bytes(content)
    mini.run(tags=["evaluation"])
    path = str(mini.path("runs.manifest", first))
    assert [line for line in lines if "is damaged" in line]
    assert all(path in line and "\n" not in line for line in lines if "is damaged" in line)


def test_every_version_has_its_sha256_in_the_manifest(mini):
    version = mini.run()
    digests = mini.load("runs.manifest", version)["sha256"]
    for name, digest in digests.items():
        assert digest == sha256(mini.path(name, version).read_bytes()).hexdigest()
    assert set(digests) == {"f.taxa", "f.edges", "f.weights", "f.metrics"}


def test_a_damaged_version_names_the_run_that_makes_it_again(mini, lines):
    first = mini.run("mammals")
    path = mini.path("f.weights", first)
    path.write_text(path.read_text().replace("mammals", "mammamls"))
    with pytest.raises(DatasetError, match=rf"Run {first} made it"):
        mini.run(tags=["evaluation"])
    command = "kedro run --pipelines=f --params=f.source.name=mammals,f.source.fail=False"
    assert f"To make it again: {command}" in lines
