import logging
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.training.checkpointing.state import State, read_metadata, read_state
from terrarium.training.checkpointing.store import TrainingStore
from terrarium.training.fit import TrainingDiverged, fit

from . import toy as toy_module
from .toy import Scripted, Toy, losses, options, same, train


def test_the_result_holds_history_weights_and_reason(tmp_path):
    result = train(tmp_path, Toy(), options(6))
    assert list(result.history) == [*("epoch", "loss", "norm", "seconds", "items_per_second", "peak_memory_mb", "best")]
    assert result.history["epoch"].tolist() == [1, 2, 3, 4, 5, 6]
    assert result.history.loc[result.history["best"], "epoch"].tolist() == [result.best_epoch]
    assert result.history["loss"].idxmin() + 1 == result.best_epoch
    assert (result.epochs, result.stop_reason) == (6, "Reached the limit of 6 epochs.")
    assert result.final.metadata == {"name": "toy"}


def test_it_is_the_plain_loop(tmp_path):
    plain = Toy()
    expected = [plain.epoch(epoch)["loss"] for epoch in range(1, 7)]
    trained = Toy()
    result = train(tmp_path, trained, options(6))
    assert losses(result) == expected
    assert result.final.equals(plain.weights())
    assert trained.state().equals(plain.state())


def test_the_best_weights_are_those_of_the_best_epoch(tmp_path):
    result = train(tmp_path, Scripted([3, 1, 2, 2, 2, 2, 2, 2, 2, 2]), options(10))
    plain = Toy()
    for epoch in [1, 2]:
        plain.epoch(epoch)
    assert result.best_epoch == 2
    assert result.best.equals(plain.weights())
    assert not result.final.equals(result.best)


def test_no_epochs_export_the_initial_weights(tmp_path):
    result = train(tmp_path, Toy(), options(0))
    assert result.best.equals(Toy().weights())
    assert result.final.equals(Toy().weights())
    assert result.history.empty
    assert (result.epochs, result.best_epoch) == (0, 0)
    assert "max_epochs is 0" in result.stop_reason
    assert read_metadata(result.checkpoints.folder / "final.safetensors")["epoch"] == 0


def test_it_stops_early_and_says_why(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    result = train(tmp_path, Scripted([3, 2, 2, 2, 1]), options(5, patience=2, min_delta=0.1))
    assert result.epochs == 4
    assert result.stop_reason == (
        "Stopped early after epoch 4: loss has not improved by more than 0.1 for 2 epochs (best 2 in epoch 2)."
    )
    assert result.stop_reason in caplog.text


def test_patience_nought_never_stops(tmp_path):
    assert train(tmp_path, Scripted([1.0] * 12), options(12)).epochs == 12


def test_another_metric_can_be_watched(tmp_path):
    result = train(tmp_path, Toy(), options(6, metric="norm", direction="max"))
    assert result.history["norm"].idxmax() + 1 == result.best_epoch


def test_an_unknown_metric_is_an_error_that_lists_the_known(tmp_path):
    with pytest.raises(ValueError, match=r"stopping.metric is 'map', .*: epoch, loss, norm"):
        train(tmp_path, Toy(), options(2, metric="map"))


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.sampled_from([1.0, 2.0, 3.0]), min_size=1, max_size=9),
    st.integers(1, 9),
    st.integers(0, 3),
    st.integers(1, 3),
)
def test_interrupted_equals_uninterrupted(tmp_path_factory, script, cut, patience, keep_last):
    folder = tmp_path_factory.mktemp("fit")
    chosen = options(len(script), patience=patience, keep_last=keep_last)
    whole = train(folder / "whole", Scripted(script), chosen)
    try:
        train(folder / "broken", Scripted(script[:cut]), chosen)
    except IndexError:
        assert same(train(folder / "broken", Scripted(script), chosen), whole)


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_divergence_names_the_epoch_and_keeps_what_was_good(tmp_path, loss):
    with pytest.raises(TrainingDiverged) as error:
        train(tmp_path, Scripted([3.0, 2.0, loss]), options(5))
    folder = TrainingStore(tmp_path).folder_of({"data": "a"})
    good = folder / "epoch_000002.safetensors"
    assert f"diverged in epoch 3: the loss is {loss}; the last good checkpoint is {good}" in str(error.value)
    assert "\n" not in str(error.value)
    assert not (folder / "epoch_000003.safetensors").exists()
    assert read_metadata(folder / "best.safetensors")["epoch"] == 2
    assert not (folder / "finished.json").exists()


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    class Broken(Toy):
        def epoch(self, epoch: int) -> dict[str, float]:
            numbers = super().epoch(epoch)
            self._x[0] = np.nan if epoch == 3 else self._x[0]
            return numbers

    with pytest.raises(TrainingDiverged, match="epoch 3: 'x' holds a number that is not finite"):
        train(tmp_path, Broken())
    assert len(list(tmp_path.glob("*/epoch_*"))) == 2


def test_an_interrupt_says_how_to_resume(tmp_path, caplog):
    class Interrupted(Toy):
        def epoch(self, epoch: int) -> dict[str, float]:
            if epoch == 4:
                raise KeyboardInterrupt
            return super().epoch(epoch)

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "broken", Interrupted())
    assert "Interrupted after epoch 3; run the same command again to resume" in caplog.text
    assert same(train(tmp_path / "broken"), train(tmp_path / "whole"))


def test_there_is_one_log_line_an_epoch(tmp_path, caplog):
    caplog.set_level(logging.INFO, logger="terrarium.training.progress")
    train(tmp_path, Scripted([1.0, 2.0, 3.0]), options(3))
    lines = [record.getMessage() for record in caplog.records if record.name.endswith("progress")]
    assert [line.partition(":")[0] for line in lines] == [f"training epoch {i}/3" for i in (1, 2, 3)]
    assert ["best so far" in line for line in lines] == [True, False, False]


def wait_for(folder: Path, files: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until `files` checkpoints were written or the process has ended."""
    while process.poll() is None:
        epochs = [int(path.stem[6:]) for path in folder.glob("*/epoch_*.safetensors")]
        if max(epochs, default=0) >= files:
            return
        time.sleep(0.005)


def test_killed_at_random_moments_it_goes_on_to_the_same_bits(tmp_path):
    environment = {"PYTHONPATH": ":".join(sys.path)}
    rng = np.random.default_rng()

    def command(name: str) -> list[str]:
        return [sys.executable, toy_module.__file__, str(tmp_path / name), str(tmp_path / f"{name}.result")]

    ends = []
    for goal in [2, 11, 23, 31]:
        with subprocess.Popen(command("broken"), env=environment) as process:
            wait_for(tmp_path / "broken", goal, process)
            time.sleep(rng.uniform(0, 0.03))
            process.kill()
        ends.append(process.returncode)
    assert -9 in ends
    subprocess.run(command("broken"), env=environment, check=True)
    subprocess.run(command("whole"), env=environment, check=True)
    assert read_state(tmp_path / "broken.result").equals(read_state(tmp_path / "whole.result"))
    kept = [sorted(path.name for path in folder.glob("*/*.safetensors")) for folder in tmp_path.glob("*/")]
    assert kept[0] == kept[1]


def test_diagnostics_may_differ_from_epoch_to_epoch(tmp_path):
    class Changing(Toy):
        def epoch(self, epoch: int) -> dict[str, float]:
            return super().epoch(epoch) | ({"map": 0.5} if epoch % 2 == 0 else {})

    history = train(tmp_path, Changing(), options(4)).history
    assert history["map"].isna().tolist() == [True, False, True, False]
    assert isinstance(history, pd.DataFrame)


def test_weights_in_the_result_do_not_move_with_the_trainable(tmp_path):
    toy = Toy()
    result = train(tmp_path, toy, options(2))
    before = State(dict(result.final.tensors), result.final.metadata)
    toy.epoch(3)
    assert result.final.equals(before)


def test_uncounted_epochs_neither_stop_a_training_nor_are_its_best(tmp_path):
    values = [0.1, 0.2, 0.3, 5.0, 4.0, 6.0, 7.0, 1.0]
    counted = train(tmp_path / "a", Scripted(values), options(8, patience=2))
    assert (counted.epochs, counted.best_epoch) == (3, 1)
    store, given = TrainingStore(tmp_path / "b"), options(8, patience=2)
    later = fit(Scripted(values), options=given, store=store, fingerprint={"data": "a"}, uncounted_epochs=3)
    assert (later.epochs, later.best_epoch) == (7, 5)
    store = TrainingStore(tmp_path / "c")
    none = fit(Scripted(values), options=options(3), store=store, fingerprint={"data": "a"}, uncounted_epochs=9)
    assert (none.epochs, none.best_epoch) == (3, 3)


def test_patience_restarts_where_the_column_says_so(tmp_path):
    class Grown(Scripted):
        def epoch(self, epoch):
            return {**super().epoch(epoch), "grown": float(epoch in {3, 5})}

    def epochs(name, restarts):
        return fit(
            Grown([1.0] + [2.0] * 20),
            options=options(20, patience=3),
            store=TrainingStore(tmp_path / name),
            fingerprint={"data": name},
            restarts=restarts,
        ).epochs

    assert epochs("plain", None) == 4
    assert epochs("grown", "grown") == 8


def test_a_log_grows_while_the_training_runs(tmp_path):
    """A trainable that keeps a log finds the lines of the finished epochs in the working store at its next epoch."""

    class Logging(Toy):
        def epoch(self, epoch):
            found.append([file.read_text(encoding="utf-8") for file in tmp_path.rglob("training.log")])
            return super().epoch(epoch)

        def format_log(self, history):
            return " ".join(map(str, history["epoch"]))

    found = []
    result = train(tmp_path, Logging(), options(3))
    assert found == [[], ["1"], ["1 2"]]
    assert (result.checkpoints.folder / "training.log").read_text(encoding="utf-8") == "1 2 3"
    assert same(result, train(tmp_path / "other", Toy(), options(3)))
