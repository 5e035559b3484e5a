"""The hooks in real Kedro sessions, on a small project of their own."""

import json
import logging
import sys
import textwrap
from importlib import import_module
from itertools import count

import pytest
from kedro.framework import project
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.runner import ParallelRunner, SequentialRunner, ThreadRunner

NUMBERS = count()

NODES = """
import importlib


def ingest(source):
    return {"name": source["name"]}, {"of": source["name"]}


def train(edges, source):
    if source["fail"]:
        raise ValueError("training failed")
    importlib.import_module(__package__ + ".between").call()
    return {"trained_on": edges["of"]}


def evaluate(taxa, weights):
    return {"taxa": taxa["name"], "weights": weights["trained_on"]}
"""

PIPELINES = """
from kedro.pipeline import Node, Pipeline

from {package} import nodes


def register_pipelines():
    family = Pipeline(
        [
            Node(nodes.ingest, "params:source", ["taxa", "edges"], name="ingest", tags="ingestion"),
            Node(nodes.train, ["edges", "params:source"], "weights", name="train", tags="training"),
            Node(nodes.evaluate, ["taxa", "weights"], "metrics", name="evaluate", tags="evaluation"),
        ],
        namespace="f",
    )
    return {{"f": family, "__default__": family}}
"""

SETTINGS = """
from terrarium.hooks.inputs import ChooseInputs
from terrarium.hooks.pinning import PinVersions
from terrarium.hooks.recording import RecordRuns
from terrarium.hooks.results import AnnounceResults

HOOKS = (ChooseInputs(), PinVersions(), RecordRuns(), AnnounceResults())
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-viz", "kedro-telemetry")
CONFIG_LOADER_ARGS = {"base_env": "base", "default_run_env": "local", "merge_strategy": {"parameters": "soft"}}
"""

BETWEEN = '''
"""What another run does while this one trains."""

calls = []


def call():
    for function in calls:
        function()
'''


class Mini:
    """A project with one family: ingest makes taxa and edges, train weights from edges, evaluate metrics."""

    def __init__(self, folder):
        self.folder = folder
        self.package = f"mini_{next(NUMBERS)}"
        code = folder / "src" / self.package
        self._write(code / "__init__.py", "")
        self._write(code / "nodes.py", NODES)
        self._write(code / "between.py", BETWEEN)
        self._write(code / "settings.py", SETTINGS)
        self._write(code / "pipeline_registry.py", PIPELINES.format(package=self.package))
        self._write(folder / "conf/base/parameters.yml", "f: {source: {name: mammals, fail: false}}")
        self._write(folder / "conf/base/catalog.yml", self._catalog())
        self._write(folder / "conf/local/.gitkeep", "")
        self._write(
            folder / "pyproject.toml",
            f'[tool.kedro]\npackage_name = "{self.package}"\nproject_name = "mini"\nkedro_init_version = "1.7.0"\n',
        )
        bootstrap_project(folder)

    def run(self, name="mammals", fail=False, **arguments):
        """One run; its version."""
        params = {"f": {"source": {"name": name, "fail": fail}}}
        with KedroSession.create(self.folder, runtime_params=params) as session:
            session.run(pipeline_names=["f"], **arguments)
            return session.session_id

    def load(self, name, version=None):
        """An artifact, the newest by default."""
        folder = self.folder / "data" / f"{name}.json"
        stamp = version or max(path.name for path in folder.iterdir())
        return json.loads((folder / stamp / folder.name).read_text())

    def save(self, name, version, content):
        """Put an artifact there as if a run with that version had."""
        folder = self.folder / "data" / f"{name}.json"
        self._write(folder / version / folder.name, json.dumps(content))

    def meanwhile(self, function):
        """Call `function` once, in the middle of the next training."""
        calls = import_module(f"{self.package}.between").calls

        def once():
            calls.clear()
            function()

        calls.append(once)

    def _catalog(self):
        types = dict.fromkeys(["f.taxa", "f.edges", "f.weights", "f.metrics"], "JSONDataset")
        types["runs.manifest"] = "RunManifestDataset"
        entry = "{name}:\n  type: terrarium.datasets.{kind}\n  filepath: data/{name}.json\n  versioned: true\n"
        return "".join(entry.format(name=name, kind=kind) for name, kind in types.items())

    def _write(self, path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))


@pytest.fixture
def mini(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(project, "PACKAGE_NAME", None)
    return Mini(tmp_path)


@pytest.fixture
def lines():
    """What the hooks log; Kedro's set-up of logging removes the handlers of the root."""
    found, logger = [], logging.getLogger("terrarium")
    handler = logging.Handler()
    handler.emit = lambda record: found.append(record.getMessage())
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield found
    logger.removeHandler(handler)
    logger.setLevel(level)


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
