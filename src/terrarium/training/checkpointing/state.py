"""A state: named arrays and JSON metadata, kept as one safetensors file that is written atomically."""

import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

JSON: TypeAlias = Any
"""Whatever `json` writes and reads back equal: dict with text keys, list, str, int, float, bool, None."""

FORMAT_VERSION = 1
_HEADER_KEY = "terrarium"


class StateError(ValueError):
    """A state file that cannot be read: damaged, of another format, or not a state at all."""


@dataclass(frozen=True, eq=False)
class State:
    """Named arrays and JSON metadata; what a checkpoint or a set of weights consists of."""

    tensors: dict[str, np.ndarray]
    metadata: dict[str, JSON] = field(default_factory=dict)

    def equals(self, other: "State") -> bool:
        """Return whether both hold the same names, dtypes, shapes, bits and metadata (NaN equals NaN)."""
        return (
            self.tensors.keys() == other.tensors.keys()
            and all(_same_bits(array, other.tensors[name]) for name, array in self.tensors.items())
            and json.dumps(self.metadata, sort_keys=True) == json.dumps(other.metadata, sort_keys=True)
        )


def write_state(path: str | Path, state: State) -> None:
    """Write `state` to `path` atomically: a reader of `path` gets the old file or the new one, never a part.

    Raises `StateError` when the metadata is not JSON or an array has a dtype that safetensors does not know.
    """
    header = {_HEADER_KEY: _encode_header(state.metadata)}
    arrays = {name: _plain_array(name, array) for name, array in state.tensors.items()}
    with AtomicPath(path) as temporary:
        try:
            save_file(arrays, temporary, header)
        except (SafetensorError, KeyError) as error:
            raise StateError(f"Cannot write {path}: {error}") from error


def read_state(path: str | Path) -> State:
    """Read what `write_state` wrote. Raises `StateError` when the file is damaged or of another format version."""
    with _open(path) as file:
        metadata = _decode_header(path, file.metadata())
        return State({name: file.get_tensor(name) for name in sorted(file.keys())}, metadata)


def read_metadata(path: str | Path) -> dict[str, JSON]:
    """Read only the metadata, from the header of the file. Raises as `read_state` does."""
    with _open(path) as file:
        return _decode_header(path, file.metadata())


def write_json(path: str | Path, value: JSON) -> None:
    """Write `value` as JSON to `path`, atomically."""
    with AtomicPath(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


class AtomicPath:
    """Context that gives a temporary path next to `path` and, when the block succeeds, renames it to `path`.

    The file is flushed to the disk before the rename and the folder after it. A failed block leaves nothing behind;
    a killed process leaves a file named `.<name>.*.tmp`.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    def __enter__(self) -> Path:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._temporary = self._path.with_name(f".{self._path.name}.{uuid.uuid4().hex}.tmp")
        return self._temporary

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                flush(self._temporary)
                os.replace(self._temporary, self._path)
                flush(self._path.parent)
        finally:
            self._temporary.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Force a file or a folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _open(path: str | Path) -> Any:
    try:
        return safe_open(path, framework="numpy")
    except FileNotFoundError:
        raise
    except (SafetensorError, OSError) as error:
        raise StateError(f"{path} is damaged or not a safetensors file: {error}") from error


def _encode_header(metadata: Mapping[str, JSON]) -> str:
    try:
        return json.dumps({"format_version": FORMAT_VERSION, "metadata": metadata})
    except (TypeError, ValueError) as error:
        raise StateError(f"The metadata of a state must be JSON: {error}") from error


def _decode_header(path: str | Path, header: Mapping[str, str] | None) -> dict[str, JSON]:
    if not header or _HEADER_KEY not in header:
        raise StateError(f"{path} is a safetensors file, but was not written as a state")
    try:
        content: dict[str, JSON] = json.loads(header[_HEADER_KEY])
    except ValueError as error:
        raise StateError(f"{path} has a damaged header: {error}") from error
    version = content.get("format_version")
    if version != FORMAT_VERSION:
        raise StateError(f"{path} has format version {version}, and this version reads {FORMAT_VERSION} only")
    metadata: dict[str, JSON] = content["metadata"]
    return metadata


def _plain_array(name: str, array: np.ndarray) -> np.ndarray:
    """Return the array in C order and native byte order, as safetensors writes raw memory."""
    if not isinstance(array, np.ndarray):
        raise StateError(f"Tensor '{name}' must be a numpy array, not {type(array).__name__}")
    return np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")


def _same_bits(left: np.ndarray, right: np.ndarray) -> bool:
    return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()
