"""Random numbers in compiled code: splitmix64 (Steele, Lea and Flood 2014), one stream per seed, epoch and key.

A draw thus depends neither on the batch nor on the number of threads.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from terrarium.common.kernels import njit

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""Increment of the state from one number to the next."""
_MIX_A = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B = np.uint64(0x94D049BB133111EB)


class Stream(NamedTuple):
    """What seeds the streams of an epoch.

    Attributes:
        seed: seed of the training.
        epoch: number of the epoch, from 1.
    """

    seed: int
    epoch: int


@njit(cache=True, inline="always")
def mix(state: np.uint64) -> np.uint64:  # pragma: no cover - compiled
    """Return the output function of splitmix64: 64 random bits."""
    z = (state ^ (state >> np.uint64(30))) * _MIX_A
    z = (z ^ (z >> np.uint64(27))) * _MIX_B
    return z ^ (z >> np.uint64(31))


@njit(cache=True)
def start_state(seed: int, epoch: int, key: int) -> np.uint64:  # pragma: no cover - compiled
    """Return the first state of the stream of a pair or taxon; add GOLDEN before each number."""
    state = mix(np.uint64(seed) + GOLDEN)
    state = mix(state ^ (np.uint64(epoch) * _MIX_A + GOLDEN))
    return mix(state ^ (np.uint64(key) * _MIX_B + GOLDEN))


@njit(cache=True, inline="always")
def integer_below(bits: np.uint64, bound: int) -> int:  # pragma: no cover - compiled
    """Return a number from 0 to bound - 1 from 64 random bits (bias below bound / 2^53)."""
    return int(np.float64(bits >> np.uint64(11)) * (1.0 / 9007199254740992.0) * bound)
