"""Anything JSON can say, as a strict JSON file."""

import math
import os
from collections.abc import Mapping
from typing import Any

from kedro.io.core import Version
from kedro_datasets.json import JSONDataset as _JSONDataset

from terrarium.datasets.atomic import AtomicSaves, local_path


class JSONDataset(AtomicSaves, _JSONDataset):
    """`json.JSONDataset` with atomic saves of strict JSON.

    NumPy scalars and arrays become numbers and lists. NaN and infinities, which JSON does not have, become null:
    a metric that could not be measured is absent rather than a file that other programs refuse.
    """

    def __init__(
        self,
        *,
        filepath: str | os.PathLike[str],
        save_args: dict[str, Any] | None = None,
        version: Version | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            filepath=local_path(filepath),
            save_args={**(save_args or {}), "allow_nan": False},
            fs_args={"open_args_save": {"encoding": "utf-8"}},
            version=version,
            metadata=metadata,
        )

    def save(self, data: Any) -> None:
        """Save `data`. Raises DatasetError when it holds something that JSON cannot say."""
        with self._staged():
            _JSONDataset.save.__wrapped__(self, strict_json(data))


def strict_json(value: Any) -> Any:
    """`value` in JSON's own types; NaN and infinities become None. Raises TypeError for anything else."""
    if isinstance(value, Mapping):
        return {_key(key): strict_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [strict_json(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
    if type(value).__module__ == "numpy":
        return strict_json(value.tolist())
    raise TypeError(f"JSON has no {type(value).__name__}: {value!r}")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key of a JSON object must be text, not {key!r}")
    return key
