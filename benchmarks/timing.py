"""CPU seconds of a function per batch, with their range."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

BATCHES, REPEATS = 100, 5


@dataclass(frozen=True)
class Timing:
    """CPU seconds per batch: median, minimum and maximum of some repeats."""

    median: float
    minimum: float
    maximum: float


def timed(call: Callable[[int], object], batches: int = BATCHES, repeats: int = REPEATS) -> Timing:
    """Return CPU seconds of a call with a batch's number; the first call, which may compile, is not counted."""
    call(0)
    found = []
    for _ in range(repeats):
        start = time.process_time()
        for i in range(batches):
            call(i)
        found.append((time.process_time() - start) / batches)
    return Timing(statistics.median(found), min(found), max(found))
