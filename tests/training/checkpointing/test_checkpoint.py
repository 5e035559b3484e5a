import numpy as np
import pytest

from terrarium.training.checkpointing.checkpoint import read_checkpoint, write_checkpoint
from terrarium.training.checkpointing.state import State, StateError, write_state
from terrarium.training.checkpointing.store import TrainingStore
from terrarium.training.stopping import StoppingState

from ..toy import (
    options,
)


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
