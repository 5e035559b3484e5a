"""One checkpoint: a training after an epoch, as one safetensors file."""

import sys
from dataclasses import dataclass
from pathlib import Path

from terrarium.training.checkpointing.state import JSON, State, StateError, read_state, write_state
from terrarium.training.stopping import StoppingState


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A training after `epoch`: the trainable's state, the stopping counters, the history and the fingerprint.

    `threads` is the number of threads that PyTorch computed with, which decides the last bits; None without PyTorch.
    """

    epoch: int
    state: State
    stopping: StoppingState
    history: list[dict[str, JSON]]
    fingerprint: dict[str, JSON]
    threads: int | None = None

    @property
    def best_epoch(self) -> int:
        """Return the best epoch so far; this one while no epoch has had a comparable metric."""
        return self.stopping.best_epoch or self.epoch


def torch_threads() -> int | None:
    """Return the number of threads that PyTorch computes with; None if it is not loaded."""
    torch = sys.modules.get("torch")
    return None if torch is None else int(torch.get_num_threads())


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write `checkpoint` as one safetensors file, atomically."""
    metadata = {
        "epoch": checkpoint.epoch,
        "best_epoch": checkpoint.best_epoch,
        "stopping": checkpoint.stopping.as_json(),
        "history": checkpoint.history,
        "fingerprint": checkpoint.fingerprint,
        "threads": checkpoint.threads,
        "trainable": checkpoint.state.metadata,
    }
    write_state(path, State(checkpoint.state.tensors, metadata))


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read what `write_checkpoint` wrote. Raises `StateError` when it is damaged or something else."""
    state = read_state(path)
    try:
        return Checkpoint(
            epoch=int(state.metadata["epoch"]),
            state=State(state.tensors, dict(state.metadata["trainable"])),
            stopping=StoppingState(**state.metadata["stopping"]),
            history=list(state.metadata["history"]),
            fingerprint=dict(state.metadata["fingerprint"]),
            threads=state.metadata["threads"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StateError(f"{path} is a state, but not a checkpoint of a training ({error!r})") from error
