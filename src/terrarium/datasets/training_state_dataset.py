"""The working store of a training, from which a killed run resumes."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io.core import AbstractDataset, DatasetError

from terrarium.datasets.base import require_local

if TYPE_CHECKING:
    from terrarium.training.checkpointing.store import TrainingStore


class TrainingStateDataset(AbstractDataset[None, "TrainingStore"]):
    """An unversioned folder of running trainings, as input of a training node: load returns a `TrainingStore`.

    The node writes to the store itself, while it trains, so that nothing is lost when it is killed.
    """

    def __init__(self, *, filepath: str | os.PathLike[str], metadata: dict[str, Any] | None = None) -> None:
        self.metadata = metadata
        reason = "training writes to its files while it runs"
        self._folder = Path(require_local(filepath, type(self).__name__, reason))

    def load(self) -> "TrainingStore":
        """Return the store bound to the folder, which need not exist yet; finished trainings await their archive."""
        from terrarium.training.checkpointing.store import TrainingStore

        return TrainingStore(self._folder, awaits_archive=True)

    def save(self, data: None) -> None:
        """Refuse: the training node writes to the store while it runs. Raises DatasetError."""
        raise DatasetError(
            f"{type(self).__name__} is only an input: the training node writes to the store itself; "
            "give finished checkpoints to a CheckpointsDataset"
        )

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._folder}
