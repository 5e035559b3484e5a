"""Nested state dictionaries of torch objects as a flat `State`, and back."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from terrarium.training.checkpointing.state import JSON, State, StateError

_TREE = "tree"


def pack(tree: Any) -> State:
    """Flatten dicts, lists and tuples of torch tensors and plain values; tensors are named by their dotted path.

    The arrays share memory with tensors on the CPU. Raises `StateError` for a value that is neither.
    """
    tensors: dict[str, np.ndarray] = {}
    return State(tensors, {_TREE: _pack(tree, "", tensors)})


def unpack(state: State) -> Any:
    """Return what `pack` was given, with tensors on the CPU."""
    return _unpack(state.metadata[_TREE], state.tensors)


def _pack(value: Any, path: str, tensors: dict[str, np.ndarray]) -> JSON:
    import torch

    if isinstance(value, torch.Tensor):
        tensors[path] = value.detach().cpu().numpy()
        return {"tensor": path}
    if isinstance(value, Mapping):
        return {"dict": [[key, _pack(item, _below(path, key), tensors)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_pack(item, _below(path, i), tensors) for i, item in enumerate(value)]}
    if value is None or isinstance(value, str | int | float):
        return value
    raise StateError(f"Cannot keep '{path}' in a checkpoint: {type(value).__name__} is neither a tensor nor plain")


def _below(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _unpack(node: JSON, tensors: Mapping[str, np.ndarray]) -> Any:
    import torch

    if not isinstance(node, dict):
        return node
    ((kind, content),) = node.items()
    if kind == "tensor":
        return torch.from_numpy(np.array(tensors[content]))
    if kind == "dict":
        return {key: _unpack(item, tensors) for key, item in content}
    items = [_unpack(item, tensors) for item in content]
    return items if kind == "list" else tuple(items)
