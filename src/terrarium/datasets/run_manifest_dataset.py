"""The record of a run, which grows during the run."""

from typing import ClassVar

from terrarium.datasets.json_dataset import JSONDataset


class RunManifestDataset(JSONDataset):
    """A versioned JSON file that may be saved again in its own version: each save replaces the file atomically.

    A run that is killed so leaves the record of what it had read and written until then.
    """

    replaces_versions: ClassVar[bool] = True
