"""The working store of a training: where a killed run goes on."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io.core import AbstractDataset, DatasetError

from terrarium.datasets.atomic import local_path

if TYPE_CHECKING:
    from terrarium.training.checkpointing.store import TrainingStore


class TrainingStateDataset(AbstractDataset[None, "TrainingStore"]):
    """An unversioned folder of running trainings, as input of a training node: load gives a `TrainingStore`.

    The node writes to the store itself, while it trains, so that nothing is lost when it is killed.
    """

    def __init__(self, *, filepath: str | os.PathLike[str], metadata: dict[str, Any] | None = None) -> None:
        self.metadata = metadata
        self._filepath = Path(local_path(filepath))

    def load(self) -> "TrainingStore":
        """The store bound to the folder, which need not exist yet."""
        from terrarium.training.checkpointing.store import TrainingStore

        return TrainingStore(self._filepath)

    def save(self, data: None) -> None:
        """Refused: the store is written by the training node while it runs."""
        raise DatasetError(
            f"{type(self).__name__} is only an input: the training node writes to the store itself; "
            "give finished checkpoints to a CheckpointsDataset"
        )

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}
