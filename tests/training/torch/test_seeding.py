import random
import subprocess
import sys

import torch
from hypothesis import given
from hypothesis import strategies as st

from terrarium.training.checkpointing.state import read_state, write_state
from terrarium.training.torch.seeding import generator, random_state, restore_random_state, seed_everything

paths = st.lists(st.integers(0, 2**40) | st.text(max_size=4), max_size=3)


@given(st.integers(0, 2**64), paths, paths)
def test_generators_depend_on_seed_and_path_alone(seed, one, other):
    first = generator(seed, *one).integers(2**63, size=4)
    assert (first == generator(seed, *one).integers(2**63, size=4)).all()
    assert (first == generator(seed, *other).integers(2**63, size=4)).all() == (one == other)


def test_the_same_seed_gives_the_same_numbers():
    numbers = []
    for seed in [5, 5, 6]:
        seed_everything(seed)
        numbers.append((random.random(), torch.rand(2).tolist()))
    assert numbers[0] == numbers[1] != numbers[2]


def test_global_generators_go_on_from_a_file(tmp_path):
    random.gauss(0, 1)
    write_state(tmp_path / "s", random_state())
    expected = random.gauss(0, 1), random.random(), torch.randn(3).tolist()
    restore_random_state(read_state(tmp_path / "s"))
    assert (random.gauss(0, 1), random.random(), torch.randn(3).tolist()) == expected


def test_the_loop_does_not_load_torch():
    code = (
        "import sys, terrarium.training.fit, terrarium.training.torch.fabric, terrarium.training.torch.seeding as s;"
        "import terrarium.training.torch.device as d; d.resolve_device('cpu'); s.seed_everything(1); s.random_state();"
        "assert not {'torch', 'lightning', 'kedro'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})
