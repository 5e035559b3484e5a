import subprocess
import sys

import pytest

from terrarium.training.checkpointing.folder import StoreLocked
from terrarium.training.checkpointing.store import TrainingStore
from terrarium.training.fit import fit

from ..toy import (
    Toy,
    Untrainable,
    age,
    epochs,
    losses,
    options,
    same,
    train,
    train_until,
)

DAY_S = 24 * 3600.0


def test_two_runs_cannot_share_a_folder(tmp_path):
    store, keep = TrainingStore(tmp_path), options().checkpoints
    with store.open({"a": 1}, keep) as run:
        with store.open({"a": 2}, keep), pytest.raises(StoreLocked) as error, store.open({"a": 1}, keep):
            pass
        assert str(run.folder) in str(error.value)
        assert "\n" not in str(error.value)
    with store.open({"a": 1}, keep):
        pass


def test_another_process_cannot_share_a_folder_either(tmp_path):
    code = (
        "import sys; from terrarium.training.checkpointing.store import *; from terrarium.training.options import *;"
        "keep = CheckpointOptions(keep_last=1, keep_every=0, retrain=False);"
        "context = TrainingStore(sys.argv[1]).open({'a': 1}, keep); context.__enter__(); print('in', flush=True);"
        "sys.stdin.read()"
    )
    environment = {"PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as other:
        assert other.stdout.readline() == b"in\n"
        with pytest.raises(StoreLocked):
            train(tmp_path, a=1)
        train(tmp_path, a=2)
        assert TrainingStore(tmp_path).folder_of({"a": 1}).exists()
        other.kill()
    assert len(losses(train(tmp_path, a=1))) == 8


def test_age_removes_nothing(tmp_path):
    """A clock may be 40 days ahead."""
    folders = [train(tmp_path, a=1).checkpoints.folder, train_until(tmp_path, 3, a=2)]
    for folder in folders:
        age(folder, 400 * DAY_S)
    train(tmp_path, a=3)
    assert all(epochs(folder) for folder in folders)


def test_strays_are_ignored(tmp_path):
    """Folders and files that look like what belongs there."""
    for name in ("0123456789abcdef", "fedcba9876543210.lock", "00000000000000ff", "00000000000000ff.lock"):
        (tmp_path / name).mkdir()
    (tmp_path / "1111111111111111").write_text("a file")
    folder = train_until(tmp_path, 3)
    (folder / "epoch_000009.safetensors").mkdir()
    (folder / "best.safetensors.d").mkdir()
    (folder / ".x.tmp").mkdir()
    assert same(train(tmp_path), train(tmp_path / "whole"))
    assert same(train(tmp_path, data="other"), train(tmp_path / "whole", data="other"))


def test_a_folder_in_the_place_of_the_lock_is_named(tmp_path):
    folder = TrainingStore(tmp_path).folder_of({"data": "a"})
    folder.with_suffix(".lock").mkdir(parents=True)
    with pytest.raises(StoreLocked, match=r"\.lock cannot be locked .*: remove it"):
        train(tmp_path)


def test_a_finished_training_is_locked_until_it_is_archived(tmp_path):
    store = TrainingStore(tmp_path / "store", awaits_archive=True)
    given = {"options": options(3), "store": store, "fingerprint": {"data": "a"}}
    result = fit(Toy(), **given)
    with pytest.raises(StoreLocked):
        fit(Toy(), **given)
    (tmp_path / "version").mkdir()
    result.checkpoints.mark_archived(str(tmp_path / "version"))
    assert same(fit(Untrainable(), **given), result)


def test_a_result_that_is_dropped_releases_the_folder(tmp_path):
    given = {
        "options": options(3),
        "store": TrainingStore(tmp_path, awaits_archive=True),
        "fingerprint": {"data": "a"},
    }
    fit(Toy(), **given)
    fit(Untrainable(), **given)
