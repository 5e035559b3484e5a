"""Plotly figures as JSON, which kedro-viz draws."""

import json
from pathlib import Path
from typing import Any

from terrarium.datasets.base import FileDataset, PlotlyPreview


class PlotlyDataset(FileDataset):
    """A `plotly.graph_objects.Figure` as the JSON that Plotly's JavaScript draws."""

    def read(self, path: Path) -> Any:
        """Return the figure."""
        from plotly.io import read_json

        return read_json(path, **self.load_args)

    def write(self, path: Path, data: Any) -> None:
        """Write the figure."""
        data.write_json(path, **self.save_args)

    def preview(self) -> PlotlyPreview:
        """Return the figure's JSON."""
        with self.local_copy() as path:
            return PlotlyPreview(json.loads(path.read_text(encoding="utf-8")))
