"""A small Kedro project with the hooks, for tests with real sessions."""

import json
import textwrap
from importlib import import_module
from itertools import count

from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

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
from terrarium.hooks.pinning import OrderVersions, PinVersions
from terrarium.hooks.recording import RecordRuns
from terrarium.hooks.results import AnnounceResults

HOOKS = (ChooseInputs(), OrderVersions(), PinVersions(), RecordRuns(), AnnounceResults())
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

    def path(self, name, version):
        """The file of an artifact."""
        return self.folder / "data" / f"{name}.json" / version / f"{name}.json"

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
