"""The record of a run, which grows during the run."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

from terrarium.common.checksums import ChecksumError
from terrarium.datasets.json_dataset import JSONDataset, strict_json

_DIGEST = "manifest_sha256"


class RunManifestDataset(JSONDataset):
    """A versioned JSON file that may be saved again in its own version: each save replaces the file atomically.

    A run that is killed so leaves the record of what it had read and written until then.
    """

    replaces_versions: ClassVar[bool] = True

    def read(self, path: Path) -> Any:
        """Return the content. Raises ChecksumError when it is not what was saved."""
        content = super().read(path)
        if not isinstance(content, dict):
            raise ChecksumError("it is not a JSON object")
        if content.pop(_DIGEST, None) != _digest(content):
            raise ChecksumError("its SHA-256 is not the one in the file")
        return content

    def write(self, path: Path, data: dict[str, Any]) -> None:
        """Write `data` with its SHA-256."""
        content = strict_json(data)
        super().write(path, {**content, _DIGEST: _digest(content)})


def _digest(content: dict[str, Any]) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
