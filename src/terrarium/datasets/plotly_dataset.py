"""Plotly figures as JSON, which kedro-viz draws."""

import os
from typing import Any

from kedro.io.core import Version
from kedro_datasets.plotly import JSONDataset as _PlotlyJSONDataset

from terrarium.datasets.atomic import AtomicSaves, local_path


class PlotlyDataset(AtomicSaves, _PlotlyJSONDataset):
    """`plotly.JSONDataset` with atomic saves: a `plotly.graph_objects.Figure` in and out."""

    def __init__(
        self,
        *,
        filepath: str | os.PathLike[str],
        load_args: dict[str, Any] | None = None,
        save_args: dict[str, Any] | None = None,
        version: Version | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            filepath=local_path(filepath),
            load_args=load_args,
            save_args=save_args,
            version=version,
            metadata=metadata,
        )
