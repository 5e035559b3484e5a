"""Named arrays with JSON metadata (weights, for instance) as one safetensors file."""

import json
import os
from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io.core import AbstractVersionedDataset, DatasetError, Version
from kedro_datasets._typing import JSONPreview

from terrarium.datasets.atomic import AtomicSaves, local_path
from terrarium.training.checkpointing.state import State, read_metadata, read_state, write_state


class StateDataset(AtomicSaves, AbstractVersionedDataset[State, State]):
    """A `terrarium.training.checkpointing.state.State`; its preview shows the arrays' shapes and the metadata."""

    def __init__(
        self,
        *,
        filepath: str | os.PathLike[str],
        version: Version | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self.metadata = metadata
        super().__init__(PurePosixPath(local_path(filepath)), version)

    def load(self) -> State:
        """Read the state. Raises DatasetError when the file is missing or damaged."""
        return read_state(Path(self._get_load_path()))

    def save(self, data: State) -> None:
        """Write the state. Raises DatasetError when `data` is no state or its metadata is not JSON."""
        if not isinstance(data, State):
            raise DatasetError(f"{type(self).__name__} saves a State, not {type(data).__name__}")
        with self._staged() as path:
            write_state(path, data)

    def preview(self) -> JSONPreview:
        """Shapes, dtypes and metadata, read from the file's header alone."""
        path = Path(self._get_load_path())
        return JSONPreview(json.dumps({"tensors": _shapes(path), "metadata": read_metadata(path)}))

    def _exists(self) -> bool:
        return Path(self._get_load_path()).is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "version": self._version}


def _shapes(path: Path) -> dict[str, dict[str, Any]]:
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        slices = {name: file.get_slice(name) for name in sorted(file.keys())}
        return {name: {"shape": part.get_shape(), "dtype": part.get_dtype()} for name, part in slices.items()}
