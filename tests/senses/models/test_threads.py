import numpy as np
import pytest
import torch

from terrarium.senses.models.adagrad import step_rows_compiled
from terrarium.senses.models.threads import run_in_threads, torch_threads


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_each_row_is_worked_on_once(threads):
    count = np.zeros(100, int)

    def work(rows):
        count[rows] += 1

    run_in_threads(work, np.arange(0, 100, 3), threads)
    assert count[::3].tolist() == [1] * 34
    assert count.sum() == 34


def test_an_error_in_a_thread_is_raised():
    with pytest.raises(ZeroDivisionError):
        run_in_threads(lambda rows: 1 // 0, np.arange(4), 2)


def test_steps_do_not_depend_on_the_number_of_threads():
    made = []
    for threads in (1, 2):
        rng = np.random.default_rng(0)
        rows, gradient = (rng.standard_normal((50, 8)).astype(np.float32) for _ in range(2))
        total = np.zeros(50, np.float32)

        def work(part, rows=rows, total=total, gradient=gradient):
            step_rows_compiled(rows, total, part, gradient, 40, 0.1, 1.0)

        run_in_threads(work, np.arange(0, 50, 2), threads)
        made.append((rows, total, gradient))
    assert all(np.array_equal(a, b) for a, b in zip(*made, strict=True))


def test_the_number_of_torch_threads_is_set_and_restored():
    before = torch.get_num_threads()
    with torch_threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
