"""The record of a run, which grows while the run goes on."""

from pathlib import Path

from terrarium.datasets.atomic import Staging
from terrarium.datasets.json_dataset import JSONDataset


class RunManifestDataset(JSONDataset):
    """A versioned JSON file that may be saved again in its own version: each save replaces the file atomically.

    So a run that is killed leaves the record of what it had read and written by then.
    """

    def _staging(self) -> Staging:
        version = self.resolve_save_version()
        final = Path(self._filepath if version is None else self._get_versioned_path(version))
        temporary = final.with_name(f".{final.name}.tmp")
        return Staging(temporary, temporary, final)
