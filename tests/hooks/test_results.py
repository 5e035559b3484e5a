"""Histories and metrics go to TensorBoard and MLflow when that is wanted, and are read back by their own readers."""

import json
import logging
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.io.core import Version
from kedro.pipeline import Node, Pipeline

from terrarium.datasets import JSONDataset, ParquetDataset, RunManifestDataset
from terrarium.hooks.recording import RecordRuns
from terrarium.hooks.results import LogToMlflow, LogToTensorBoard

HISTORY = pd.DataFrame({"epoch": [1, 2], "loss": [0.5, 0.25], "best": [False, True], "note": ["a", "b"]})


STAMP = "2026-01-31T12.00.00.000Z"
METRICS = {"test_mrr": 0.75, "hits@10": 1, "layout": "trained"}


def double(raw: pd.DataFrame) -> pd.DataFrame:
    return raw


def finish(hook, folder, parameters=None, metrics=METRICS):
    """Record a run that saves a history and metrics (unless they are None), and give it to a hook."""
    files = {"f.raw": ParquetDataset, "f.history": ParquetDataset, "f.metrics": JSONDataset}
    files |= {"runs.manifest": RunManifestDataset}
    data = DataCatalog(
        {name: kind(filepath=str(folder / "data" / name), version=Version(None, STAMP)) for name, kind in files.items()}
    )
    data["parameters"] = MemoryDataset(parameters or {"f": {"model": {"dim": 5}, "ranks": ["order"]}, "g": {"dim": 7}})
    pipeline = Pipeline([Node(double, "f.raw", ["f.history", "f.metrics"], name="f.make")])
    params = {"run_id": STAMP, "project_path": str(folder), "load_versions": {}, "pipeline_names": ["f"]}
    recorder = RecordRuns()
    recorder.before_pipeline_run(params, pipeline, data)
    data["f.history"].save(HISTORY)
    if metrics is None:
        recorder.on_pipeline_error(ValueError("no metrics"), params, data)
        hook.on_pipeline_error(params, pipeline, data)
    else:
        data["f.metrics"].save(metrics)
        recorder.after_pipeline_run(params, data)
        hook.after_pipeline_run(params, pipeline, data)


def read_scalars(folder):
    reader = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="pip install tensorboard"
    )
    read = reader.EventAccumulator(str(folder / STAMP / "f"))
    read.Reload()
    return {tag: [(event.step, event.value) for event in read.Scalars(tag)] for tag in read.Tags()["scalars"]}


@pytest.mark.parametrize("metrics", [METRICS, None], ids=["finished", "failed"])
def test_tensorboard_reads_what_was_logged(tmp_path, monkeypatch, metrics):
    monkeypatch.setenv("TERRARIUM_TENSORBOARD", str(tmp_path))
    finish(LogToTensorBoard(), tmp_path, metrics=metrics)
    found = read_scalars(tmp_path)
    assert found["history/loss"] == [(1, 0.5), (2, 0.25)]
    assert found.get("metrics/test_mrr") == (None if metrics is None else [(0, 0.75)])
    assert not any("note" in tag or "layout" in tag for tag in found)


def test_without_its_variable_tensorboard_gets_nothing(tmp_path, monkeypatch):
    monkeypatch.delenv("TERRARIUM_TENSORBOARD", raising=False)
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    finish(LogToTensorBoard(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_without_tensorboard_there_is_a_warning(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("TERRARIUM_TENSORBOARD", str(tmp_path))
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with caplog.at_level(logging.WARNING):
        finish(LogToTensorBoard(), tmp_path)
    assert "pip install tensorboard" in caplog.text


def test_mlflow_reads_what_was_logged(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="pip install mlflow-skinny sqlalchemy alembic")
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("TERRARIUM_MLFLOW", uri)
    monkeypatch.chdir(tmp_path)
    finish(LogToMlflow(), tmp_path, parameters={"f": {f"option_{i}": i for i in range(150)}})
    client = mlflow.MlflowClient(uri)
    (run,) = client.search_runs([client.get_experiment_by_name("terrarium").experiment_id])
    assert (run.info.run_name, run.info.status) == (STAMP, "FINISHED")
    assert run.data.params == {f"f.option_{i}": str(i) for i in range(150)}
    assert run.data.metrics == {"f/history/loss": 0.25, "f/history/epoch": 2.0, "f/history/best": 1.0} | {
        "f/metrics/test_mrr": 0.75,
        "f/metrics/hits_10": 1.0,
    }
    steps = client.get_metric_history(run.info.run_id, "f/history/loss")
    assert [(entry.step, entry.value) for entry in steps] == [(1, 0.5), (2, 0.25)]
    (manifest,) = client.list_artifacts(run.info.run_id, "runs")
    copy = client.download_artifacts(run.info.run_id, manifest.path, str(tmp_path))
    assert json.loads(Path(copy).read_text(encoding="utf-8"))["status"] == "finished"


class Recorder:
    """What `MlflowClient` is asked to do; refuses if it is told to."""

    def __init__(self, refuses=False):
        self.refuses, self.calls = refuses, []

    def get_experiment_by_name(self, name):
        if self.refuses:
            raise OSError("no\nserver")

    def create_experiment(self, name):
        return "1"

    def create_run(self, experiment, **about):
        self.calls.append(("run", about))
        return SimpleNamespace(info=SimpleNamespace(run_id="r"))

    def log_batch(self, run, **entries):
        self.calls += [(kind, *entry) for kind, items in entries.items() for entry in items]

    def log_artifact(self, run, path, folder):
        self.calls.append(("file", folder, Path(path).read_text(encoding="utf-8")))

    def set_terminated(self, run, end_time):
        self.calls.append(("end", end_time))


@pytest.fixture
def client(monkeypatch):
    found = Recorder()
    entities = ModuleType("mlflow.entities")
    entities.Metric, entities.Param, entities.RunTag = (lambda *parts: parts,) * 3
    exceptions = ModuleType("mlflow.exceptions")
    exceptions.MlflowException = RuntimeError
    module = ModuleType("mlflow")
    module.MlflowClient = lambda tracking_uri: found
    for name, stand_in in {"mlflow": module, "mlflow.entities": entities, "mlflow.exceptions": exceptions}.items():
        monkeypatch.setitem(sys.modules, name, stand_in)
    monkeypatch.setenv("TERRARIUM_MLFLOW", "http://127.0.0.1:1")
    return found


def test_mlflow_gets_parameters_of_the_families_of_the_run_and_all_scalars(client, tmp_path):
    finish(LogToMlflow(), tmp_path)
    assert [call[1:] for call in client.calls if call[0] == "params"] == [
        ("f.model.dim", "5"),
        ("f.ranks", '["order"]'),
    ]
    metrics = {(name, step): value for kind, name, value, _, step in filter(lambda c: c[0] == "metrics", client.calls)}
    assert metrics[("f/history/loss", 2)] == 0.25
    assert metrics[("f/metrics/hits_10", 0)] == 1.0
    ((folder, manifest),) = [call[1:] for call in client.calls if call[0] == "file"]
    assert folder == "runs"
    assert json.loads(manifest)["status"] == "finished"
    assert client.calls[-1][0] == "end"


def test_a_server_that_fails_is_a_warning(client, tmp_path, caplog):
    client.refuses = True
    with caplog.at_level(logging.WARNING):
        finish(LogToMlflow(), tmp_path)
    assert "The run is not in MLflow (http://127.0.0.1:1): no server" in caplog.text


def test_without_its_variable_mlflow_gets_nothing(client, tmp_path, monkeypatch):
    monkeypatch.delenv("TERRARIUM_MLFLOW")
    finish(LogToMlflow(), tmp_path)
    assert client.calls == []


def test_without_mlflow_there_is_a_warning(client, tmp_path, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with caplog.at_level(logging.WARNING):
        finish(LogToMlflow(), tmp_path)
    assert "pip install mlflow-skinny" in caplog.text
