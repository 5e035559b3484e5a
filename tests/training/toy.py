"""A small trainable for the tests of the loop; run as a script it trains until it is killed or done."""

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from terrarium.training.checkpointing.state import State, write_state
from terrarium.training.checkpointing.store import TrainingStore
from terrarium.training.fit import FitResult, Trainable, fit
from terrarium.training.options import FitOptions


class Toy:
    """Noisy gradient descent with momentum towards zero; all of its randomness is in its own generator."""

    def __init__(self, seed: int = 0, size: int = 6, pause_s: float = 0.0) -> None:
        self._rng = np.random.default_rng(seed)
        self._x = self._rng.normal(size=size)
        self._velocity = np.zeros(size)
        self._pause_s = pause_s

    def epoch(self, epoch: int) -> dict[str, float]:
        time.sleep(self._pause_s)
        noise = self._rng.normal(size=self._x.size)
        self._velocity = 0.9 * self._velocity + self._x + noise
        self._x = self._x - 0.1 * self._velocity
        return {"loss": float(np.square(self._x).mean()), "items": self._x.size, "norm": float(np.abs(self._x).max())}

    def state(self) -> State:
        return State({"x": self._x, "velocity": self._velocity}, {"rng": self._rng.bit_generator.state})

    def load(self, state: State) -> None:
        self._x, self._velocity = state.tensors["x"], state.tensors["velocity"]
        self._rng.bit_generator.state = state.metadata["rng"]

    def weights(self) -> State:
        return State({"x": self._x.copy()}, {"name": "toy"})


class Scripted(Toy):
    """A toy whose losses are given."""

    def __init__(self, losses: list[float]) -> None:
        super().__init__()
        self._losses = losses

    def epoch(self, epoch: int) -> dict[str, float]:
        return {**super().epoch(epoch), "loss": self._losses[epoch - 1]}


def options(max_epochs: int = 8, **changes: object) -> FitOptions:
    """Fit options with small defaults; `changes` go to the branch that knows the key."""
    stopping = {"patience": 0, "min_delta": 0.0, "metric": "loss", "direction": "min"}
    checkpoints = {"keep_last": 5, "keep_every": 0, "retrain": False}
    for key, value in changes.items():
        (stopping if key in stopping else checkpoints)[key] = value
    return FitOptions.model_validate({"max_epochs": max_epochs, "stopping": stopping, "checkpoints": checkpoints})


def train(
    folder: Path, trainable: Trainable | None = None, fit_options: FitOptions | None = None, **fingerprint: object
) -> FitResult:
    """Fit a trainable, by default a toy, in `folder`."""
    return fit(
        trainable or Toy(),
        options=fit_options or options(),
        store=TrainingStore(folder),
        fingerprint=fingerprint or {"data": "a"},
    )


def losses(result: FitResult) -> list[float]:
    """The history's losses."""
    return list(result.history["loss"])


def same(left: FitResult, right: FitResult) -> bool:
    """Whether two results hold the same bits."""
    return (
        left.best.equals(right.best)
        and left.final.equals(right.final)
        and losses(left) == losses(right)
        and (left.epochs, left.best_epoch, left.stop_reason) == (right.epochs, right.best_epoch, right.stop_reason)
    )


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


class Untrainable(Toy):
    """A toy that must not be trained."""

    def epoch(self, epoch: int) -> dict[str, float]:
        raise AssertionError(f"epoch {epoch} was trained")


if __name__ == "__main__":
    outcome = train(Path(sys.argv[1]), Toy(size=200_000, pause_s=0.005), options(40, keep_every=10))
    write_state(sys.argv[2], State(outcome.final.tensors | {"loss": outcome.history["loss"].to_numpy()}))
