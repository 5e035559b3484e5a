"""Anything JSON can say, as a strict JSON file."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from terrarium.datasets.base import FileDataset, JSONPreview


class JSONDataset(FileDataset):
    """A strict JSON file; `save_args` are those of `json.dump`.

    NumPy scalars and arrays become numbers and lists. NaN and infinities, which JSON does not have, become null:
    a metric that could not be measured is absent rather than a file that other programs refuse.
    """

    UNUSED_ARGUMENTS: ClassVar[frozenset[str]] = frozenset({"load_args"})
    DEFAULT_SAVE_ARGS: ClassVar[dict[str, Any]] = {"indent": 2}

    def read(self, path: Path) -> Any:
        """Return the content of the file."""
        return json.loads(path.read_text(encoding="utf-8"))

    def write(self, path: Path, data: Any) -> None:
        """Write `data`. Raises TypeError when it holds something that JSON cannot say."""
        text = json.dumps(strict_json(data), **(self.save_args | {"allow_nan": False}))
        path.write_text(text, encoding="utf-8")

    def preview(self) -> JSONPreview:
        """Return the content as text."""
        return JSONPreview(json.dumps(self.load()))


def strict_json(value: Any) -> Any:
    """Return `value` in JSON's own types; NaN and infinities become None. Raises TypeError for anything else."""
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
