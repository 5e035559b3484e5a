"""Threads of a training on the CPU. They wait on locks instead of spinning, so a busy neighbour does not stall them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

from terrarium.common.arrays import Int64Array


def run_in_threads(work: Callable[[Int64Array], None], rows: Int64Array, threads: int) -> None:
    """Call a function that releases Python's lock for the parts of an array, one per thread."""
    if threads == 1:
        work(rows)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, np.array_split(rows, threads)))


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Let PyTorch use this many threads, and as many as before afterwards."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
