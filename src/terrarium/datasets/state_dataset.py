"""Named arrays with JSON metadata (weights, for instance) as one safetensors file."""

import json
from pathlib import Path
from typing import Any, ClassVar

from kedro.io.core import DatasetError

from terrarium.datasets.base import FileDataset, JSONPreview
from terrarium.training.checkpointing.state import State, read_metadata, read_state, write_state


class StateDataset(FileDataset):
    """A `terrarium.training.checkpointing.state.State`; its preview shows the arrays' shapes and the metadata."""

    UNUSED_ARGUMENTS: ClassVar[frozenset[str]] = frozenset({"load_args", "save_args"})
    checks_itself: ClassVar[bool] = True

    def read(self, path: Path) -> State:
        """Return the state. Raises StateError when the file is damaged."""
        return read_state(path)

    def write(self, path: Path, data: State) -> None:
        """Write the state. Raises DatasetError when `data` is not a state, StateError when its metadata is not JSON."""
        if not isinstance(data, State):
            raise DatasetError(f"{type(self).__name__} saves a State, not {type(data).__name__}")
        write_state(path, data)

    def preview(self) -> JSONPreview:
        """Return shapes, dtypes and metadata, read from the file's header alone."""
        with self.local_copy() as path:
            return JSONPreview(json.dumps({"tensors": _shapes(path), "metadata": read_metadata(path)}))


def _shapes(path: Path) -> dict[str, dict[str, Any]]:
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        slices = {name: file.get_slice(name) for name in sorted(file.keys())}
        return {name: {"shape": part.get_shape(), "dtype": part.get_dtype()} for name, part in slices.items()}
