import subprocess
import sys
import threading

import torch
from hypothesis import given
from hypothesis import strategies as st

from terrarium.training.torch.seeding import derive_seed, generator, seeded

paths = st.lists(st.integers(0, 2**40) | st.text(max_size=4), max_size=3)


@given(st.integers(0, 2**64), paths, paths)
def test_generators_depend_on_seed_and_path_alone(seed, one, other):
    first = generator(seed, *one).integers(2**63, size=4)
    assert (first == generator(seed, *one).integers(2**63, size=4)).all()
    assert (first == generator(seed, *other).integers(2**63, size=4)).all() == (one == other)
    assert (derive_seed(seed, *one) == derive_seed(seed, *other)) == (one == other)


def drawn(seed: int) -> list[float]:
    with seeded(seed):
        return torch.rand(2).tolist()


def test_the_same_seed_gives_the_same_numbers():
    assert drawn(5) == drawn(5) != drawn(6)


def test_after_a_block_the_global_generators_go_on_as_if_it_had_not_been():
    torch.manual_seed(1)
    expected = torch.rand(2).tolist()
    torch.manual_seed(1)
    drawn(7)
    assert torch.rand(2).tolist() == expected


def test_blocks_in_several_threads_draw_what_they_draw_alone():
    alone = [drawn(seed) for seed in range(2)]
    outcomes: list[list[float]] = [[], []]
    barrier = threading.Barrier(2)

    def draw(seed: int) -> None:
        barrier.wait()
        for _ in range(50):
            outcomes[seed].append(drawn(seed))

    threads = [threading.Thread(target=draw, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [[numbers] * 50 for numbers in alone]


def test_the_loop_does_not_load_torch():
    code = (
        "import sys, terrarium.training.fit, terrarium.training.torch.fabric, terrarium.training.torch.seeding as s;"
        "import terrarium.training.torch.device as d; d.resolve_device('cpu'); s.derive_seed(1);"
        "assert not {'torch', 'lightning', 'kedro'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})
