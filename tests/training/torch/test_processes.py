import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.training.torch.processes import ALONE, LaunchError, World, build_trainer, find_world


class Trainer:
    def __init__(self, name: str, world: World = ALONE) -> None:
        self.name, self.world = name, world


def test_one_process_is_alone():
    assert find_world({}) == find_world({"SLURM_NTASKS": "1", "SLURM_PROCID": "0"}) == ALONE


@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_torchrun_says_who_is_who(machines, local_size, data):
    size = machines * local_size
    rank = data.draw(st.integers(0, size - 1))
    names = {"RANK": rank, "WORLD_SIZE": size, "LOCAL_RANK": rank % local_size, "LOCAL_WORLD_SIZE": local_size}
    environment = {name: str(value) for name, value in names.items()}
    assert find_world(environment) == find_world(environment | {"SLURM_NTASKS": "7"}) == (rank, size, local_size)


def test_srun_says_who_is_who():
    environment = {"SLURM_NTASKS": "4", "SLURM_PROCID": "3", "SLURM_NTASKS_PER_NODE": "2", "SLURM_STEP_ID": "0"}
    assert find_world(environment) == World(3, 4, 2)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"SLURM_NTASKS": "2", "SLURM_PROCID": "0"}, "srun has not started this process: use `srun kedro run"),
        ({"SLURM_NTASKS": "2", "SLURM_PROCID": "0", "SLURM_STEP_ID": "0"}, "give --nodes and --ntasks-per-node"),
        ({"OMPI_COMM_WORLD_SIZE": "2"}, "start them by torchrun"),
        ({"PMI_SIZE": "3"}, "start them by torchrun"),
    ],
)
def test_several_processes_are_never_taken_for_one(environment, message):
    with pytest.raises(LaunchError, match=message):
        find_world(environment)


def test_in_one_process_a_trainer_is_just_built():
    trainer = build_trainer(Trainer, "a")
    assert (trainer.name, trainer.world) == ("a", ALONE)
