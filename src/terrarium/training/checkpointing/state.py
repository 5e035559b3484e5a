"""A state: named arrays and JSON metadata, kept as one safetensors file that is written atomically.

The entry `terrarium` of the file's own metadata is JSON: the format version, the state's metadata, the SHA-256 of each
array, and the SHA-256 of the latter two. All of them are checked when the file is read.
"""

import json
import os
import stat
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

JSON: TypeAlias = Any
"""Whatever `json` writes and reads back equal: dict with text keys, list, str, int, float, bool, None."""

FORMAT_VERSION = 2
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
    arrays = {name: _plain_array(name, array) for name, array in state.tensors.items()}
    header = {_HEADER_KEY: _encode_header(state.metadata, {name: _digest(arrays[name]) for name in sorted(arrays)})}
    with AtomicPath(path) as temporary:
        temporary.touch()
        mode = stat.S_IMODE(temporary.stat().st_mode)  # save_file makes a file that only its owner can read
        try:
            save_file(arrays, temporary, header)
        except (SafetensorError, KeyError) as error:
            raise StateError(f"Cannot write {path}: {error}") from error
        temporary.chmod(mode)


def read_state(path: str | Path) -> State:
    """Read what `write_state` wrote. Raises `StateError` when the file is damaged or of another format version."""
    with _open(path) as file:
        metadata, digests = _decode_header(path, file.metadata())
        if set(file.keys()) != digests.keys():
            raise StateError(f"{path} is damaged: its header names other arrays")
        tensors = {}
        for name in sorted(digests):
            tensors[name] = _get_tensor(path, file, name)
            if _digest(tensors[name]) != digests[name]:
                raise StateError(f"{path} is damaged: the SHA-256 of '{name}' is not the one in its header")
        return State(tensors, metadata)


def read_metadata(path: str | Path) -> dict[str, JSON]:
    """Read only the metadata, from the header of the file. Raises as `read_state` does."""
    with _open(path) as file:
        return _decode_header(path, file.metadata())[0]


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


def _get_tensor(path: str | Path, file: Any, name: str) -> np.ndarray:
    try:
        array: np.ndarray = file.get_tensor(name)
    except (SafetensorError, ValueError, TypeError, KeyError) as error:
        raise StateError(f"{path} is damaged: '{name}' cannot be read: {error}") from error
    return array


def _digest(array: np.ndarray) -> str:
    """Return the SHA-256 of dtype, shape and bytes as hex; `array` is in C order."""
    total = sha256(f"{array.dtype.str} {array.shape}".encode())
    total.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return total.hexdigest()


def _digest_json(content: JSON) -> str:
    return sha256(json.dumps(content).encode()).hexdigest()


def _encode_header(metadata: Mapping[str, JSON], digests: Mapping[str, str]) -> str:
    try:
        content = {"arrays": digests, "metadata": metadata}
        return json.dumps({"format_version": FORMAT_VERSION, "sha256": _digest_json(content), **content})
    except (TypeError, ValueError) as error:
        raise StateError(f"The metadata of a state must be JSON: {error}") from error


def _decode_header(path: str | Path, header: Mapping[str, str] | None) -> tuple[dict[str, JSON], dict[str, str]]:
    """Return the state's metadata and the digests of its arrays."""
    if not header or _HEADER_KEY not in header:
        raise StateError(f"{path} is a safetensors file, but was not written as a state")
    try:
        content = json.loads(header[_HEADER_KEY])
        version, recorded = content.pop("format_version"), content.pop("sha256", None)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StateError(f"{path} has a damaged header: {error!r}") from error
    if version != FORMAT_VERSION:
        raise StateError(f"{path} has format version {version}, and this version reads {FORMAT_VERSION} only")
    if recorded != _digest_json(content):
        raise StateError(f"{path} has a damaged header: its SHA-256 is not the one in the file")
    return content["metadata"], content["arrays"]


def _plain_array(name: str, array: np.ndarray) -> np.ndarray:
    """Return the array in C order and native byte order, as safetensors writes raw memory."""
    if not isinstance(array, np.ndarray):
        raise StateError(f"Tensor '{name}' must be a numpy array, not {type(array).__name__}")
    return np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")


def _same_bits(left: np.ndarray, right: np.ndarray) -> bool:
    return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()
