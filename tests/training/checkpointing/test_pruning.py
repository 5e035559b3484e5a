from pathlib import Path

import pytest

from terrarium.training.checkpointing.pruning import prune
from terrarium.training.checkpointing.store import TrainingStore

from ..toy import options, same, train, train_until


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """An archived, a finished and an unfinished training in one store."""
    version = tmp_path / "version"
    version.mkdir()
    archived = train(tmp_path / "store", which="archived").checkpoints
    archived.mark_archived(str(version))
    finished = train(tmp_path / "store", which="finished").checkpoints.folder
    return {
        "archived": archived.folder,
        "finished": finished,
        "unfinished": train_until(tmp_path / "store", 4, which="unfinished"),
    }


def test_a_dry_run_removes_nothing_and_lists_the_same(tmp_path, folders):
    store = TrainingStore(tmp_path / "store")
    for unarchived in (False, True):
        listed = prune(store, unarchived=unarchived, dry_run=True)
        assert all(folder.exists() for folder in folders.values() if folder in {found.folder for found in listed})
        assert prune(store, unarchived=unarchived) == listed
        assert not any(found.folder.exists() for found in listed)


def test_only_archived_trainings_go_by_themselves(tmp_path, folders):
    (found,) = prune(TrainingStore(tmp_path / "store"))
    assert found.folder == folders["archived"]
    assert found.status == f"finished after epoch 8, archived in {tmp_path / 'version'}"
    assert found.size > 0
    assert [folder.exists() for folder in folders.values()] == [False, True, True]
    assert not folders["archived"].with_suffix(".lock").exists()


def test_a_training_whose_version_is_gone_stays(tmp_path, folders):
    (tmp_path / "version").rmdir()
    assert prune(TrainingStore(tmp_path / "store")) == []
    assert folders["archived"].exists()


def test_unarchived_trainings_go_on_request(tmp_path, folders):
    pruned = prune(TrainingStore(tmp_path / "store"), unarchived=True)
    assert {Path(found.folder) for found in pruned} == set(folders.values())
    statuses = {found.folder: found.status for found in pruned}
    assert statuses[folders["finished"]] == "finished after epoch 8, not archived"
    assert statuses[folders["unfinished"]] == "unfinished, reached epoch 3"


def test_a_training_in_progress_stays(tmp_path):
    store = TrainingStore(tmp_path)
    with store.open({"which": "running"}, options().checkpoints) as run:
        assert prune(store, unarchived=True) == []
        assert run.folder.exists()


def test_after_pruning_the_same_training_trains_to_the_same_bits(tmp_path):
    first = train(tmp_path)
    prune(TrainingStore(tmp_path), unarchived=True)
    assert same(first, train(tmp_path))


def test_a_store_that_was_never_used_is_empty(tmp_path):
    assert prune(TrainingStore(tmp_path / "nothing")) == []
