import copy
import pickle

import pytest
from filelock import FileLock

from terrarium.training.checkpointing.folder import (
    FinishedTraining,
    is_archived,
    is_finished,
    name_of,
    read_fingerprint,
    read_json,
    saved_epochs,
)
from terrarium.training.checkpointing.state import write_json


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"null"])
def test_what_is_no_json_object_reads_as_empty(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    assert read_json(tmp_path / "a.json") == {}
    assert read_json(tmp_path) == {}
    assert read_json(tmp_path / "missing.json") == {}


def test_a_fingerprint_that_does_not_fit_its_folder_is_no_fingerprint(tmp_path):
    fingerprint = {"data": "a"}
    folder = tmp_path / name_of(fingerprint)
    write_json(folder / "fingerprint.json", fingerprint)
    assert read_fingerprint(folder) == fingerprint
    write_json(folder / "fingerprint.json", {"data": "b"})
    assert read_fingerprint(folder) is None


def test_epochs_are_files_with_a_number(tmp_path):
    for name in ("epoch_000010.safetensors", "epoch_000002.safetensors", "epoch_x.safetensors", "best.safetensors"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "epoch_000003.safetensors").mkdir()
    assert saved_epochs(tmp_path) == [2, 10]


def test_a_training_is_archived_while_its_version_exists(tmp_path):
    folder, version = tmp_path / "folder", tmp_path / "version"
    folder.mkdir()
    version.mkdir()
    FinishedTraining(folder).mark_archived(str(version))
    assert not is_archived(folder)
    write_json(folder / "finished.json", {})
    assert is_finished(folder)
    assert is_archived(folder)
    version.rmdir()
    assert not is_archived(folder)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])  # noqa: S301
def test_a_copy_of_a_finished_training_holds_no_lock(tmp_path, copied):
    with FileLock(tmp_path / "lock") as lock:
        finished = FinishedTraining(tmp_path, lock)
        copied(finished).release()
        assert lock.is_locked
        finished.release()
        assert not lock.is_locked
