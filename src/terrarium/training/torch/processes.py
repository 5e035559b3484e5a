"""One training in several processes, on one machine or several, as torchrun or Slurm starts them.

The first process, the leader, runs the pipeline: it alone reads and writes data and keeps checkpoints. The others
follow: they build the same trainer and train the same epochs, each on its part of every batch.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from lightning.fabric.strategies.ddp import DDPStrategy

_PATIENCE = timedelta(days=7)
"""How long a follower waits: the leader may read, evaluate and draw for as long between two trainings."""
_TORCHRUN = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
_MPI = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE")


class LaunchError(RuntimeError):
    """Processes that were started in a way that cannot work."""


class World(NamedTuple):
    """The processes of this training.

    Attributes:
        rank: number of this process, from 0.
        size: number of processes.
        local_size: number of processes on each machine.
    """

    rank: int = 0
    size: int = 1
    local_size: int = 1


ALONE = World()


def find_world(environment: Mapping[str, str] = os.environ) -> World:
    """Return the processes that torchrun or Slurm's srun has started.

    Raises:
        LaunchError: several processes, started by something else.
    """
    if all(name in environment for name in _TORCHRUN):
        rank, size, _, local_size = (int(environment[name]) for name in _TORCHRUN)
        return World(rank, size, local_size)
    tasks = int(environment.get("SLURM_NTASKS", 1))
    if tasks > 1:
        return _slurm_world(environment, tasks)
    name = next((name for name in _MPI if int(environment.get(name, 1)) > 1), None)
    if name is not None:
        raise LaunchError(f"{name} says that MPI has started several processes: start them by torchrun instead")
    return ALONE


def _slurm_world(environment: Mapping[str, str], tasks: int) -> World:
    if "SLURM_STEP_ID" not in environment and "SLURM_STEPID" not in environment:
        raise LaunchError(
            f"Slurm has given this job {tasks} tasks, but srun has not started this process: use `srun kedro run ...`, "
            "or `torchrun` with one task per machine, or ask for --ntasks=1"
        )
    if "SLURM_NTASKS_PER_NODE" not in environment:
        raise LaunchError("Slurm's --ntasks is not enough: give --nodes and --ntasks-per-node")
    return World(int(environment["SLURM_PROCID"]), tasks, int(environment["SLURM_NTASKS_PER_NODE"]))


def make_strategy() -> DDPStrategy:
    """Return Fabric's distributed strategy without its wrapper around the model.

    The wrapper averages whole gradients; `terrarium.training.torch.exchange` sends those of tables as rows.
    """
    import torch
    from lightning.fabric.strategies.ddp import DDPStrategy

    class Strategy(DDPStrategy):
        def setup_module(self, module: torch.nn.Module) -> Any:
            return module

    return Strategy(process_group_backend=_backend(), timeout=_PATIENCE)


def connect(world: World) -> None:
    """Connect the processes with each other."""
    from lightning.fabric import Fabric

    if "TORCHELASTIC_RESTART_COUNT" in os.environ:
        _connect_attempt(os.environ["TORCHELASTIC_RESTART_COUNT"])
    Fabric(
        accelerator="cpu",
        devices=world.local_size,
        num_nodes=world.size // world.local_size,
        strategy=make_strategy(),
    ).launch()


def _connect_attempt(number: str) -> None:
    """Connect processes that torchrun may restart: its store still has the addresses of those that have died."""
    from torch import distributed
    from torch.distributed.distributed_c10d import PrefixStore
    from torch.distributed.rendezvous import rendezvous

    store, rank, size = next(rendezvous("env://"))
    own = PrefixStore(f"terrarium/attempt_{number}", store)
    distributed.init_process_group(_backend(), store=own, rank=rank, world_size=size, timeout=_PATIENCE)


def _backend() -> str:
    import torch

    return "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"


Trainer = TypeVar("Trainer")


def build_trainer(trainer: Callable[..., Trainer], *arguments: Any) -> Trainer:
    """Build a trainer in all processes; in one process that is a call.

    Args:
        trainer: a class at the top of a module, that takes the arguments and `world`.
        arguments: of the class.
    """
    world = find_world() if is_connected() else ALONE
    lead(world, "build", trainer, arguments)
    return trainer(*arguments, world=world)


def is_connected() -> bool:
    """Return whether this process has been connected with others."""
    import sys

    return "torch" in sys.modules and sys.modules["torch"].distributed.is_initialized()


def lead(world: World, order: str, *arguments: Any) -> None:
    """Tell the followers what to do; without followers there is nothing to tell."""
    if world.size > 1 and world.rank == 0:
        from torch import distributed

        distributed.broadcast_object_list([order, arguments])


def follow(world: World) -> None:
    """Do what the leader says until it says that this is the end."""
    from torch import distributed

    trainer: Any = None
    while True:
        message: list[Any] = [None, None]
        distributed.broadcast_object_list(message)
        order, arguments = message
        if order == "end":
            distributed.destroy_process_group()
            return
        if order == "build":
            build, parts = arguments
            trainer = build(*parts, world=world)
        elif order == "epoch":
            trainer.train_epoch(*arguments)
        else:
            trainer.restore(*arguments)


def dismiss(world: World) -> None:
    """End the work of the followers, and the connection: its threads abort a process that exits while they run."""
    lead(world, "end")
    if is_connected():
        from torch import distributed

        distributed.destroy_process_group()
