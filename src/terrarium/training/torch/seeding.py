"""Seeds: independent generators from one seed, and torch's global generators for the length of a block."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any

import numpy as np

GLOBAL_STATE = RLock()
"""Held while a block changes what torch keeps per process, such as the state of its generators."""


def generator(seed: int, *path: int | str) -> np.random.Generator:
    """Return a generator that depends on `seed` and `path` only, e.g. `generator(seed, "negatives", epoch)`.

    Different paths give independent streams; nothing needs to be stored to resume at a later epoch.
    """
    digest = hashlib.sha256(json.dumps([seed, *path]).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest))


def derive_seed(seed: int, *path: int | str) -> int:
    """Return a seed for torch that depends on `seed` and `path` only."""
    return int(generator(seed, *path).integers(2**62))


@contextmanager
def seeded(seed: int, devices: Sequence[Any] = ()) -> Iterator[None]:
    """Seed torch's global generators for a block; afterwards they are as before.

    Blocks in several threads take turns, so that each draws the same numbers as if it were alone.

    Args:
        seed: from 0.
        devices: CUDA devices on which the block draws random numbers.
    """
    import torch

    with GLOBAL_STATE, torch.random.fork_rng(devices=list(devices)):
        torch.manual_seed(seed)
        yield
