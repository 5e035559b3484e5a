"""Digests of what a run has saved, without what differs between two equal runs: times and memory."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from safetensors.numpy import load_file

TIMES = ("seconds", "per_second", "_mb", "minutes")
"""Endings of the names of values that differ between two equal runs."""
_SKIPPED = {"runs", "training_state"}


def digest_artifacts(root: Path) -> dict[str, str]:
    """Return the SHA-256 of the newest version of each table, metric, figure and tensor file, by its path.

    Args:
        root: the folder that a run was given as `data_root`.
    """
    return {key: hashlib.sha256(content).hexdigest() for key, content in _contents(root)}


def _contents(root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield path without the version, and content; of several versions, the newest is the last."""
    for path in sorted(root.rglob("*")):
        folders = path.relative_to(root).parts
        if not path.is_file() or _SKIPPED & set(folders):
            continue
        key = "/".join(part for part in folders if not part.endswith("Z"))
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
            yield key, table[[name for name in table if not is_time(name)]].to_csv().encode()
        elif path.suffix == ".json":
            yield key, json.dumps(without_times(json.loads(path.read_text(encoding="utf-8")))).encode()
        elif path.suffix == ".safetensors":
            tensors = load_file(path).items()
            yield key, b"".join(name.encode() + array.tobytes() for name, array in sorted(tensors))


def without_times(value: Any) -> Any:
    """Return a value of JSON without times and memory."""
    if isinstance(value, dict):
        return {name: without_times(item) for name, item in value.items() if not is_time(name)}
    return [without_times(item) for item in value] if isinstance(value, list) else value


def is_time(name: object) -> bool:
    """Return whether a column or key names a time or memory."""
    return str(name).endswith(TIMES)
