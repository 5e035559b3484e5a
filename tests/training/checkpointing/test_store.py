import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from terrarium.training.checkpointing import store as checkpoints
from terrarium.training.checkpointing.state import State, StateError, read_metadata, write_state
from terrarium.training.checkpointing.store import StoreLocked, TrainingStore, read_checkpoint, write_checkpoint
from terrarium.training.stopping import StoppingState

from ..toy import Scripted, Toy, losses, options, same, train

DAY_S = 24 * 3600.0


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def epochs(folder: Path) -> list[int]:
    return sorted(int(path.stem[6:]) for path in folder.glob("epoch_*.safetensors"))


class Killed(BaseException):
    """Stands for the end of the process."""


class Dying(Toy):
    """A toy whose process ends in a given epoch."""

    def __init__(self, dies_in: int) -> None:
        super().__init__()
        self._dies_in = dies_in

    def epoch(self, epoch: int) -> dict[str, float]:
        if epoch == self._dies_in:
            raise Killed
        return super().epoch(epoch)


def train_until(folder: Path, dies_in: int, **fingerprint: object) -> Path:
    """Leave an unfinished run; gives its folder."""
    with pytest.raises(Killed):
        train(folder, Dying(dies_in), **fingerprint)
    return TrainingStore(folder).folder_of(fingerprint or {"data": "a"})


def age(folder: Path, seconds: float) -> None:
    """Make `folder` and what is in it look that old."""
    then = time.time() - seconds
    for path in [*folder.iterdir(), folder]:
        os.utime(path, (then, then))


def test_a_checkpoint_round_trip(tmp_path):
    with TrainingStore(tmp_path).open({"a": 1}, options().checkpoints) as run:
        state = State({"x": np.ones(2)}, {"step": 3})
        path = run.save(4, state, StoppingState(0.5, 2, 0.5, 2), [{"epoch": 4, "loss": 0.5}])
    checkpoint = read_checkpoint(path)
    assert checkpoint.state.equals(state)
    assert (checkpoint.epoch, checkpoint.best_epoch) == (4, 2)
    assert checkpoint.history == [{"epoch": 4, "loss": 0.5}]
    assert checkpoint.fingerprint == {"a": 1}
    write_checkpoint(tmp_path / "copy", checkpoint)
    assert (tmp_path / "copy").read_bytes() == path.read_bytes()


def test_a_state_is_not_a_checkpoint(tmp_path):
    write_state(tmp_path / "s", State({}))
    with pytest.raises(StateError, match="not a checkpoint"):
        read_checkpoint(tmp_path / "s")


def test_kept_are_the_last_five_the_best_and_the_final(tmp_path):
    result = train(tmp_path, Scripted([5, 1, 4, 4, 4, 4, 4, 4, 4]), options(9))
    assert epochs(result.checkpoints) == [5, 6, 7, 8, 9]
    assert names(result.checkpoints) - {f"epoch_00000{e}.safetensors" for e in range(5, 10)} == {
        *("best.safetensors", "final.safetensors", "fingerprint.json", "finished.json")
    }
    assert read_metadata(result.checkpoints / "best.safetensors")["epoch"] == 2
    assert read_metadata(result.checkpoints / "final.safetensors")["epoch"] == 9
    assert names(tmp_path) == {"store.lock", result.checkpoints.name, f"{result.checkpoints.name}.lock"}


def test_every_kth_is_kept_when_asked(tmp_path):
    result = train(tmp_path, Toy(), options(10, keep_last=2, keep_every=3))
    assert epochs(result.checkpoints) == [3, 6, 9, 10]


@pytest.mark.parametrize("dies_in", [1, 2, 7, 8])
def test_an_unfinished_run_goes_on_to_the_same_bits(tmp_path, dies_in, caplog):
    caplog.set_level(logging.INFO)
    train_until(tmp_path / "broken", dies_in)
    resumed = train(tmp_path / "broken")
    assert same(resumed, train(tmp_path / "whole"))
    assert ("Resuming after epoch" in caplog.text) == (dies_in > 1)


def test_an_equal_rerun_after_the_end_trains_again(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    first = train(tmp_path)
    stale = first.checkpoints / "epoch_000077.safetensors"
    stale.write_bytes(b"")
    second = train(tmp_path)
    assert "training again" in caplog.text
    assert same(first, second)
    assert not stale.exists()


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


@pytest.mark.parametrize("damage", ["truncated", "empty", "other version", "foreign"])
def test_a_bad_checkpoint_falls_back_to_the_one_before(tmp_path, damage, caplog):
    folder = train_until(tmp_path / "broken", 7)
    newest = folder / "epoch_000006.safetensors"
    content = newest.read_bytes()
    if damage == "foreign":
        write_state(newest, State({"x": np.ones(1)}))
    else:
        changed = content.replace(b'format_version\\": 1', b'format_version\\": 9')
        newest.write_bytes({"truncated": content[:-1], "empty": b"", "other version": changed}[damage])
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
    assert not list(train(tmp_path).checkpoints.glob(".*"))


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
        "keep = CheckpointOptions(keep_last=1, keep_every=0);"
        "context = TrainingStore(sys.argv[1]).open({'a': 1}, keep); context.__enter__(); print('in', flush=True);"
        "sys.stdin.read()"
    )
    environment = {"PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as other:
        assert other.stdout.readline() == b"in\n"
        with pytest.raises(StoreLocked):
            train(tmp_path, a=1)
        age(TrainingStore(tmp_path).folder_of({"a": 1}), 365 * DAY_S)
        train(tmp_path, a=2)
        assert TrainingStore(tmp_path).folder_of({"a": 1}).exists()
        other.kill()
    assert len(losses(train(tmp_path, a=1))) == 8


def test_old_folders_go_and_others_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "FINISHED_LIFE_S", 100.0)
    old, fresh = train(tmp_path, a=1).checkpoints, train(tmp_path, a=2).checkpoints
    abandoned, waiting = train_until(tmp_path, 3, a=3), train_until(tmp_path, 3, a=4)
    foreign = tmp_path / "notes"
    foreign.mkdir()
    age(old, 101.0)
    age(foreign, 365 * DAY_S)
    age(abandoned, 31 * DAY_S)
    age(waiting, 29 * DAY_S)
    own = train(tmp_path, a=5).checkpoints
    folders = {fresh.name, waiting.name, own.name}
    assert names(tmp_path) == {"store.lock", "notes", *folders, *(f"{name}.lock" for name in folders)}


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
        assert epochs(resumed.checkpoints) == [4, 5]
    assert os.WEXITSTATUS(status) == 0
    assert deaths > 40
