import logging
import os
from pathlib import Path

import numpy as np
import pytest

from terrarium.training.checkpointing import run
from terrarium.training.checkpointing.state import State, read_metadata, write_state
from terrarium.training.checkpointing.store import TrainingStore

from ..toy import (
    Scripted,
    Toy,
    Untrainable,
    epochs,
    names,
    options,
    same,
    train,
    train_until,
)


def test_kept_are_the_last_five_the_best_and_the_final(tmp_path):
    result = train(tmp_path, Scripted([5, 1, 4, 4, 4, 4, 4, 4, 4]), options(9))
    assert epochs(result.checkpoints.folder) == [5, 6, 7, 8, 9]
    assert names(result.checkpoints.folder) - {f"epoch_00000{e}.safetensors" for e in range(5, 10)} == {
        *("best.safetensors", "final.safetensors", "fingerprint.json", "finished.json")
    }
    assert read_metadata(result.checkpoints.folder / "best.safetensors")["epoch"] == 2
    assert read_metadata(result.checkpoints.folder / "final.safetensors")["epoch"] == 9
    assert names(tmp_path) == {"store.lock", result.checkpoints.folder.name, f"{result.checkpoints.folder.name}.lock"}


def test_every_kth_is_kept_when_asked(tmp_path):
    result = train(tmp_path, Toy(), options(10, keep_last=2, keep_every=3))
    assert epochs(result.checkpoints.folder) == [3, 6, 9, 10]


@pytest.mark.parametrize("dies_in", [1, 2, 7, 8])
def test_an_unfinished_run_goes_on_to_the_same_bits(tmp_path, dies_in, caplog):
    caplog.set_level(logging.INFO)
    train_until(tmp_path / "broken", dies_in)
    resumed = train(tmp_path / "broken")
    assert same(resumed, train(tmp_path / "whole"))
    assert ("Resuming after epoch" in caplog.text) == (dies_in > 1)


@pytest.mark.parametrize("script", [[5.0, 4.0, 3.0], [5.0, 1.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0]])
def test_a_finished_training_hands_out_its_result(tmp_path, script, caplog):
    """Also where the checkpoint of the best epoch is kept under the name `best` only."""
    caplog.set_level(logging.INFO)
    first = train(tmp_path, Scripted(script), options(len(script), keep_last=2))
    again = train(tmp_path, Untrainable(), options(len(script), keep_last=2))
    assert same(first, again)
    assert "and its result is used; to train again, set checkpoints.retrain" in caplog.text


def test_no_epochs_are_handed_out_as_well(tmp_path):
    assert same(train(tmp_path, Toy(), options(0)), train(tmp_path, Untrainable(), options(0)))


def test_a_finished_training_trains_again_on_request(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    first = train(tmp_path)
    stale = first.checkpoints.folder / "epoch_000077.safetensors"
    stale.write_bytes(b"")
    with pytest.raises(AssertionError, match="epoch 1 was trained"):
        train(tmp_path, Untrainable(), options(retrain=True))
    assert same(first, train(tmp_path, Toy(), options(retrain=True)))
    assert "training again" in caplog.text
    assert not stale.exists()


def test_the_result_of_other_code_is_announced(tmp_path, caplog):
    finished = train(tmp_path).checkpoints.folder / "finished.json"
    train(tmp_path)
    assert "another version of the code" not in caplog.text
    finished.write_text("{}")
    train(tmp_path)
    assert "was made by another version of the code" in caplog.text


@pytest.mark.parametrize("threads", [1, 2])
def test_another_number_of_threads_is_announced(tmp_path, threads, caplog, monkeypatch):
    monkeypatch.setattr(run, "torch_threads", lambda: 1)
    train_until(tmp_path, 3)
    monkeypatch.setattr(run, "torch_threads", lambda: threads)
    train(tmp_path)
    assert ("was made with 1 threads of PyTorch, and this run has 2" in caplog.text) == (threads == 2)


@pytest.mark.parametrize("is_finished", [True, False])
def test_more_epochs_go_on_where_fewer_ended(tmp_path, is_finished, caplog):
    caplog.set_level(logging.INFO)
    given = {"data": "a", "training": {"max_epochs": 5}}
    if is_finished:
        short = train(tmp_path / "both", Toy(), options(5), **given).checkpoints.folder
    else:
        short = train_until(tmp_path / "both", 4, **given)
    before = {path.name: path.read_bytes() for path in short.iterdir()}
    more = {"data": "a", "training": {"max_epochs": 9}}
    long = train(tmp_path / "both", Toy(), options(9), **more)
    assert "differs in max_epochs only" in caplog.text
    assert f"Resuming after epoch {5 if is_finished else 3}" in caplog.text
    assert same(long, train(tmp_path / "whole", Toy(), options(9), **more))
    assert {path.name: path.read_bytes() for path in short.iterdir()} == before


def test_fewer_epochs_start_over_and_leave_the_longer_training(tmp_path):
    long = train(tmp_path / "both", Toy(), options(9), data="a", training={"max_epochs": 9})
    given = {"data": "a", "training": {"max_epochs": 3}}
    assert same(train(tmp_path / "both", Toy(), options(3), **given), train(tmp_path / "s", Toy(), options(3), **given))
    assert (long.checkpoints.folder / "final.safetensors").exists()


def test_a_checkpoint_of_another_training_is_refused(tmp_path, caplog):
    folder = train_until(tmp_path / "broken", 7, data="a")
    foreign = train_until(tmp_path / "other", 7, data="b")
    name = "epoch_000006.safetensors"
    (folder / name).write_bytes((foreign / name).read_bytes())
    resumed = train(tmp_path / "broken", data="a")
    assert 'is of another training: data "b" -> "a"' in caplog.text
    assert same(resumed, train(tmp_path / "whole", data="a"))


@pytest.mark.parametrize("source", ["epoch_000004.safetensors", "best.safetensors"])
def test_a_checkpoint_under_a_wrong_name_is_refused(tmp_path, source, caplog):
    folder = train_until(tmp_path / "broken", 7)
    (folder / "epoch_000006.safetensors").write_bytes((folder / source).read_bytes())
    resumed = train(tmp_path / "broken")
    assert same(resumed, train(tmp_path / "whole"))


def test_other_options_start_over_and_say_which(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    abandoned = train_until(tmp_path, 4, data="a", training={"rate": 0.1, "dim": 5})
    train(tmp_path, data="b", training={"rate": 0.2, "dim": 5})
    assert f"the unfinished run in {abandoned} (epoch 3) has other data or options" in caplog.text
    assert 'data "a" -> "b", training.rate 0.1 -> 0.2' in caplog.text
    assert "dim" not in caplog.text
    caplog.clear()
    train(tmp_path, data="a", training={"rate": 0.1, "dim": 5})
    assert "Resuming after epoch 3" in caplog.text


@pytest.mark.parametrize("damage", ["truncated", "empty", "other version", "foreign", "flipped bit"])
def test_a_bad_checkpoint_falls_back_to_the_one_before(tmp_path, damage, caplog):
    folder = train_until(tmp_path / "broken", 7)
    newest = folder / "epoch_000006.safetensors"
    content = newest.read_bytes()
    if damage == "foreign":
        write_state(newest, State({"x": np.ones(1)}))
    else:
        changed = content.replace(b'format_version\\": 2', b'format_version\\": 9')
        flipped = content[:-1] + bytes([content[-1] ^ 1])
        damaged = {"truncated": content[:-1], "empty": b"", "other version": changed, "flipped bit": flipped}
        newest.write_bytes(damaged[damage])
    resumed = train(tmp_path / "broken")
    assert "Checkpoint of epoch 6 cannot be used, trying the one before" in caplog.text
    assert same(resumed, train(tmp_path / "whole"))


def test_a_bad_best_checkpoint_falls_back_to_the_best_before(tmp_path):
    script = [5.0, 1.0, 4.0, 4.0, 4.0, 4.0, 4.0, 0.5, 4.0, 4.0]
    whole = train(tmp_path / "whole", Scripted(script), options(10))
    with pytest.raises(IndexError):
        train(tmp_path / "broken", Scripted(script[:8]), options(10))
    folder = TrainingStore(tmp_path / "broken").folder_of({"data": "a"})
    (folder / "epoch_000008.safetensors").write_bytes(b"gone")
    assert epochs(folder) == [2, 4, 5, 6, 7, 8]
    assert same(train(tmp_path / "broken", Scripted(script), options(10)), whole)


def test_without_any_good_checkpoint_it_starts_over(tmp_path):
    folder = train_until(tmp_path / "broken", 4)
    for path in folder.glob("*.safetensors"):
        path.write_bytes(b"gone")
    assert same(train(tmp_path / "broken"), train(tmp_path / "whole"))


def test_leftovers_of_a_killed_write_are_removed(tmp_path):
    folder = train_until(tmp_path, 3)
    (folder / ".epoch_000003.safetensors.12ab.tmp").write_bytes(b"half")
    assert not list(train(tmp_path).checkpoints.folder.glob(".*"))


def die_at(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process kill itself at the `count`-th call that changes the disk."""
    left = [count]

    def deadly(function):
        def call(*arguments, **keywords):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), 9)
            return function(*arguments, **keywords)

        return call

    for module, name in [(os, "replace"), (os, "fsync"), (os, "link"), (os, "unlink"), (Path, "unlink")]:
        monkeypatch.setattr(module, name, deadly(getattr(module, name)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_killed_at_any_change_of_the_disk_it_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    script = [5.0, 1.0, 4.0, 0.9, 0.8]
    short = options(5, keep_last=2)
    whole = train(tmp_path / "whole", Scripted(script), short)
    deaths = 0
    for count in range(1, 1000):
        folder = tmp_path / str(count)
        child = os.fork()
        if child == 0:
            try:
                die_at(count, monkeypatch)
                train(folder, Scripted(script), short)
                os._exit(0)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            break
        deaths += 1
        resumed = train(folder, Scripted(script), short)
        assert same(resumed, whole)
        assert epochs(resumed.checkpoints.folder) == [4, 5]
    assert os.WEXITSTATUS(status) == 0
    assert deaths > 40
