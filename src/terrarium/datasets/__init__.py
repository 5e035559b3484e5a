"""Kedro datasets whose saves are atomic: a failed or killed save leaves nothing that can be loaded (see `base`).

Write `type: terrarium.datasets.<class>` in the catalog. Each class is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from terrarium.datasets.checkpoints_dataset import CheckpointsDataset
    from terrarium.datasets.json_dataset import JSONDataset
    from terrarium.datasets.parquet_dataset import ParquetDataset
    from terrarium.datasets.plotly_dataset import PlotlyDataset
    from terrarium.datasets.run_manifest_dataset import RunManifestDataset, RunResultsDataset
    from terrarium.datasets.state_dataset import StateDataset
    from terrarium.datasets.text_dataset import TextDataset
    from terrarium.datasets.training_state_dataset import TrainingStateDataset

__all__ = [
    "CheckpointsDataset",
    "JSONDataset",
    "ParquetDataset",
    "PlotlyDataset",
    "RunManifestDataset",
    "RunResultsDataset",
    "StateDataset",
    "TextDataset",
    "TrainingStateDataset",
]

_MODULES = {
    "CheckpointsDataset": "checkpoints_dataset",
    "JSONDataset": "json_dataset",
    "ParquetDataset": "parquet_dataset",
    "PlotlyDataset": "plotly_dataset",
    "RunManifestDataset": "run_manifest_dataset",
    "RunResultsDataset": "run_manifest_dataset",
    "StateDataset": "state_dataset",
    "TextDataset": "text_dataset",
    "TrainingStateDataset": "training_state_dataset",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
