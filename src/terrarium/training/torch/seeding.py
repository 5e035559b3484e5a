"""Seeds: independent generators from one seed, and the state of the global generators."""

import hashlib
import json
import random
import sys

import numpy as np

from terrarium.training.checkpointing.state import State


def generator(seed: int, *path: int | str) -> np.random.Generator:
    """Return a generator that depends on `seed` and `path` only, e.g. `generator(seed, "negatives", epoch)`.

    Different paths give independent streams; nothing needs to be stored to resume at a later epoch.
    """
    digest = hashlib.sha256(json.dumps([seed, *path]).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest))


def seed_everything(seed: int) -> None:
    """Seed the global generators of Python and, if it is loaded, torch. Numpy code uses `generator` instead."""
    random.seed(seed)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)


def random_state() -> State:
    """Return the state of the global generators of Python and, if it is loaded, torch with its CUDA devices."""
    version, words, gauss = random.getstate()
    tensors = {"python": np.array(words, dtype=np.uint32)}
    torch = sys.modules.get("torch")
    if torch is not None:
        tensors["torch"] = torch.get_rng_state().numpy()
        if torch.cuda.is_initialized():
            tensors |= {f"cuda.{i}": state.numpy() for i, state in enumerate(torch.cuda.get_rng_state_all())}
    return State(tensors, {"version": version, "gauss": gauss})


def restore_random_state(state: State) -> None:
    """Set the global generators to what `random_state` returned. Missing CUDA devices are ignored."""
    words = tuple(state.tensors["python"].tolist())
    random.setstate((state.metadata["version"], words, state.metadata["gauss"]))
    if "torch" not in state.tensors:
        return
    import torch

    torch.set_rng_state(torch.from_numpy(state.tensors["torch"]))
    for i in range(torch.cuda.device_count()):
        if f"cuda.{i}" in state.tensors:
            torch.cuda.set_rng_state(torch.from_numpy(state.tensors[f"cuda.{i}"]), i)
