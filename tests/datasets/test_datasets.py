"""What all datasets of the project promise: round trips, versions that are never overwritten, atomic saves."""

import json
import math
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest
from kedro.io.core import AbstractDataset, DatasetError, Version

import terrarium.datasets
from terrarium.datasets.base import FileDataset, discard_saved
from terrarium.reporting.theme import new_figure
from terrarium.training.checkpointing.state import State
from terrarium.training.checkpointing.store import TrainingStore

FIGURE = new_figure("a figure").add_scatter(x=[1, 2], y=[3, 4])
CASES = {
    "ParquetDataset": (pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), pd.testing.assert_frame_equal),
    "JSONDataset": ({"a": 1.5, "b": [1, "x"]}, lambda a, b: _same(a == b)),
    "RunManifestDataset": ({"status": "running"}, lambda a, b: _same(a == b)),
    "StateDataset": (State({"x": np.eye(3)}, {"k": [1, "two"]}), lambda a, b: _same(a.equals(b))),
    "TextDataset": ("<html>Größe</html>", lambda a, b: _same(a == b)),
    "PlotlyDataset": (FIGURE, lambda a, b: _same(a.to_dict() == b.to_dict())),
}
VERSIONED = [*CASES, "CheckpointsDataset"]


def _same(equal):
    assert equal


def make(name, path, version=None):
    return getattr(terrarium.datasets, name)(filepath=str(path), version=version)


def value_for(name, folder):
    if name != "CheckpointsDataset":
        return CASES[name][0]
    (folder / "run" / "inner").mkdir(parents=True, exist_ok=True)
    (folder / "run" / "epoch_1").write_bytes(b"one")
    (folder / "run" / "inner" / "two").write_bytes(b"two")
    (folder / "run" / ".hidden").write_bytes(b"no")
    return folder / "run"


def test_every_dataset_is_tested():
    assert {*VERSIONED, "TrainingStateDataset", "RunResultsDataset"} == set(terrarium.datasets.__all__)


@pytest.mark.parametrize("name", VERSIONED)
def test_marks_of_patterns_in_a_path_are_plain_characters(tmp_path, name):
    path = tmp_path / "x[1] {a}*?" / "thing"
    make(name, path, Version(None, "2026-01-01T00.00.00.000Z")).save(value_for(name, tmp_path))
    newest = make(name, path, Version(None, None))
    assert newest.exists()
    assert newest.resolve_load_version() == "2026-01-01T00.00.00.000Z"
    newest.load()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("version", [None, Version(None, "2026-01-01T00.00.00.000Z")])
def test_round_trip(tmp_path, name, version):
    value, check = CASES[name]
    dataset = make(name, tmp_path / "thing", version)
    assert not dataset.exists()
    dataset.save(value)
    assert dataset.exists()
    check(make(name, tmp_path / "thing", Version(None, None) if version else None).load(), value)
    assert not list(tmp_path.rglob("*.partial"))
    assert not list(tmp_path.rglob(".*.tmp"))


def test_checkpoints_keep_all_files_but_the_hidden(tmp_path):
    dataset = make("CheckpointsDataset", tmp_path / "kept", Version(None, "2026-01-01T00.00.00.000Z"))
    dataset.save(value_for("CheckpointsDataset", tmp_path))
    folder = make("CheckpointsDataset", tmp_path / "kept", Version(None, None)).load()
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == ["epoch_1", "two"]
    with pytest.raises(DatasetError, match="saves a folder"):
        make("CheckpointsDataset", tmp_path / "kept", Version(None, "2026-01-02T00.00.00.000Z")).save(tmp_path / "none")


@pytest.mark.parametrize("name", [name for name in VERSIONED if name != "RunManifestDataset"])
def test_a_version_is_never_overwritten(tmp_path, name):
    version, value = Version(None, "2026-01-01T00.00.00.000Z"), value_for(name, tmp_path)
    make(name, tmp_path / "thing", version).save(value)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "thing").rglob("*") if path.is_file()}
    with pytest.raises(DatasetError):
        make(name, tmp_path / "thing", version).save(value)
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "thing").rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", VERSIONED)
def test_a_node_that_runs_again_saves_its_version_again(tmp_path, name):
    older = make(name, tmp_path / "thing", Version(None, "2026-01-01T00.00.00.000Z"))
    dataset = make(name, tmp_path / "thing", Version(None, "2026-01-02T00.00.00.000Z"))
    discard_saved(dataset)
    for each in (older, dataset):
        each.save(value_for(name, tmp_path))
    discard_saved(dataset)
    dataset.save(value_for(name, tmp_path))
    assert older.exists()
    assert dataset.exists()


@pytest.mark.parametrize("name", VERSIONED)
def test_a_failed_save_leaves_the_older_version_the_newest(tmp_path, name, monkeypatch):
    make(name, tmp_path / "thing", Version(None, "2026-01-01T00.00.00.000Z")).save(value_for(name, tmp_path))

    def fail(_):
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(DatasetError, match="the disk is full"):
        make(name, tmp_path / "thing", Version(None, "2026-01-02T00.00.00.000Z")).save(value_for(name, tmp_path))
    assert make(name, tmp_path / "thing", Version(None, None)).resolve_load_version() == "2026-01-01T00.00.00.000Z"
    assert [path.name for path in (tmp_path / "thing").iterdir()] == ["2026-01-01T00.00.00.000Z"]


def test_a_killed_save_leaves_no_version(tmp_path):
    code = f"""
        import os, signal
        import pandas as pd
        from kedro.io.core import Version
        from terrarium.datasets import ParquetDataset
        os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
        ParquetDataset(filepath={str(tmp_path / "t")!r}, version=Version(None, "2026-01-02T00.00.00.000Z")).save(
            pd.DataFrame({{"a": [1]}}))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not make("ParquetDataset", tmp_path / "t", Version(None, None)).exists()
    later = make("ParquetDataset", tmp_path / "t", Version(None, "2026-01-03T00.00.00.000Z"))
    later.save(pd.DataFrame({"a": [2]}))
    assert make("ParquetDataset", tmp_path / "t", Version(None, None)).load()["a"].tolist() == [2]


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("TrainingStateDataset", {}, "training writes to its files while it runs"),
        ("CheckpointsDataset", {"version": Version(None, None)}, "an interrupted upload of a folder"),
    ],
)
def test_folders_are_local(name, arguments, reason):
    with pytest.raises(DatasetError, match=f"needs a local path, because {reason}"):
        getattr(terrarium.datasets, name)(filepath="s3://bucket/thing", **arguments)


@pytest.mark.parametrize("protocol", ["file", "local"])
def test_a_local_path_may_have_a_protocol(tmp_path, protocol, monkeypatch):
    make("JSONDataset", f"{protocol}://{tmp_path}/m.json").save({"a": 1})
    assert json.loads((tmp_path / "m.json").read_text()) == {"a": 1}

    def fail(_):
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(DatasetError, match="the disk is full"):
        make("JSONDataset", f"{protocol}://{tmp_path}/m.json").save({"a": 2})
    assert json.loads((tmp_path / "m.json").read_text()) == {"a": 1}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("address", ["sftp://host/thing", "hdfs://host/thing", "https://host/thing"])
def test_file_systems_that_show_half_a_file_are_refused(name, address):
    with pytest.raises(DatasetError, match="may show a file that is half written; use a local path or an object store"):
        make(name, address)


READ_OR_WRITTEN_BY_A_LIBRARY = {
    "ParquetDataset": {"load_args", "save_args"},
    "PlotlyDataset": {"load_args", "save_args"},
    "JSONDataset": {"save_args"},
    "RunManifestDataset": {"save_args"},
}


@pytest.mark.parametrize("name", VERSIONED)
@pytest.mark.parametrize("argument", ["load_args", "save_args", "credentials", "fs_args", "lode_args"])
def test_an_argument_that_would_be_ignored_is_refused(tmp_path, name, argument):
    entry = {"type": f"terrarium.datasets.{name}", "filepath": str(tmp_path / "x"), "versioned": True}
    entry |= {argument: {"a": 1}}
    if argument in READ_OR_WRITTEN_BY_A_LIBRARY.get(name, ()):
        assert AbstractDataset.from_config("x", entry)
    else:
        with pytest.raises(DatasetError, match=argument):
            AbstractDataset.from_config("x", entry)


@pytest.mark.parametrize("name", VERSIONED)
def test_saves_are_atomic_by_their_base(name):
    assert issubclass(getattr(terrarium.datasets, name), FileDataset)


def test_metrics_are_strict_json(tmp_path):
    dataset = make("JSONDataset", tmp_path / "m.json")
    dataset.save({"a": math.nan, "b": [math.inf, 1]})
    assert json.loads((tmp_path / "m.json").read_text(), parse_constant=pytest.fail) == {"a": None, "b": [None, 1]}


def test_a_manifest_may_grow_in_its_own_version(tmp_path):
    dataset = make("RunManifestDataset", tmp_path / "m.json", Version(None, "2026-01-01T00.00.00.000Z"))
    dataset.save({"status": "running"})
    dataset.save({"status": "finished"})
    assert make("RunManifestDataset", tmp_path / "m.json", Version(None, None)).load() == {"status": "finished"}


def test_the_working_store_is_loaded_and_never_saved(tmp_path):
    dataset = make_store(tmp_path)
    assert isinstance(dataset.load(), TrainingStore)
    assert dataset.exists()
    with pytest.raises(DatasetError, match="only an input"):
        dataset.save(os)


def make_store(folder):
    return terrarium.datasets.TrainingStateDataset(filepath=str(folder / "store"))


def test_only_states_are_kept_as_states(tmp_path):
    with pytest.raises(DatasetError, match="saves a State, not dict"):
        make("StateDataset", tmp_path / "s").save({"x": 1})


def test_previews(tmp_path):
    for name in ("ParquetDataset", "JSONDataset", "StateDataset", "PlotlyDataset", "CheckpointsDataset"):
        dataset = make(name, tmp_path / name, Version(None, "2026-01-01T00.00.00.000Z"))
        dataset.save(value_for(name, tmp_path))
        assert make(name, tmp_path / name, Version(None, None)).preview(), name
    table = make("ParquetDataset", tmp_path / "ParquetDataset", Version(None, None)).preview(nrows=1)
    assert table["data"] == [[1, "x"]]


def test_lists_in_a_table_are_shown_as_lists(tmp_path):
    dataset = terrarium.datasets.ParquetDataset(filepath=str(tmp_path / "lanes.parquet"))
    dataset.save(pd.DataFrame({"lane": ["a"], "following": [["b", "c"]], "x_m": [[0.0, 1.5]]}))
    assert json.loads(json.dumps(dataset.preview(1)))["data"] == [["a", ["b", "c"], [0.0, 1.5]]]
