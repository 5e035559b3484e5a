"""Histories and metrics are written for TensorBoard when that is wanted, and read back by its own reader."""

import logging

import pandas as pd
import pytest

from terrarium.hooks.results import LogToTensorBoard

HISTORY = pd.DataFrame({"epoch": [1, 2], "loss": [0.5, 0.25], "best": [False, True], "note": ["a", "b"]})


def log(folder, monkeypatch, name="senses.history", data=HISTORY):
    monkeypatch.setenv("TERRARIUM_TENSORBOARD", str(folder))
    hook = LogToTensorBoard()
    hook.before_pipeline_run({"run_id": "2026-01-31"})
    hook.after_dataset_saved(name, data)
    return folder / "2026-01-31" / name.rpartition(".")[0]


def test_tensorboard_reads_what_was_logged(tmp_path, monkeypatch):
    reader = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="pip install tensorboard"
    )
    folder = log(tmp_path, monkeypatch)
    log(tmp_path, monkeypatch, "senses.metrics", {"test_mrr": 0.75, "layout": "trained"})
    read = reader.EventAccumulator(str(folder))
    read.Reload()
    assert [(event.step, event.value) for event in read.Scalars("history/loss")] == [(1, 0.5), (2, 0.25)]
    assert [event.value for event in read.Scalars("metrics/test_mrr")] == [0.75]
    assert not any("note" in tag or "layout" in tag for tag in read.Tags()["scalars"])


def test_without_the_variable_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.delenv("TERRARIUM_TENSORBOARD", raising=False)
    monkeypatch.chdir(tmp_path)
    LogToTensorBoard().after_dataset_saved("senses.history", HISTORY)
    assert list(tmp_path.iterdir()) == []


def test_other_datasets_are_left_alone(tmp_path, monkeypatch):
    log(tmp_path, monkeypatch, "senses.vectors", HISTORY)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_a_warning(tmp_path, monkeypatch, caplog):
    monkeypatch.setitem(__import__("sys").modules, "torch.utils.tensorboard", None)
    with caplog.at_level(logging.WARNING):
        log(tmp_path, monkeypatch)
    assert "pip install tensorboard" in caplog.text
