"""A run ends with the paths of its results; histories and metrics go to TensorBoard, if that is wanted."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from terrarium.datasets.base import location
from terrarium.hooks.catalogs import family_of, versioned_datasets

logger = logging.getLogger(__name__)

_ANNOUNCED = ("report", "vectors", "metrics")


class AnnounceResults:
    """Log the paths of the report, the vectors and the metrics that a run has written."""

    @hook_impl(trylast=True)
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Log one line per artifact, family by family."""
        wanted = {name for name in pipeline.all_outputs() if name.rpartition(".")[2] in _ANNOUNCED}
        written = versioned_datasets(catalog, wanted)
        for name in sorted(written, key=lambda name: (family_of(name), _ANNOUNCED.index(name.rpartition(".")[2]))):
            logger.info("%s: %s", name, location(written[name], written[name].resolve_load_version()))


class LogToTensorBoard:
    """Write histories and metrics as scalars below the folder that `TERRARIUM_TENSORBOARD` names.

    Each run and family has a folder of its own: FOLDER/VERSION/FAMILY. It needs the package tensorboard. Without the
    variable nothing is done.
    """

    def __init__(self) -> None:
        self.run = ""

    @hook_impl
    def before_pipeline_run(self, run_params: Mapping[str, Any]) -> None:
        """Note the version of the run."""
        self.run = run_params["run_id"]

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Write the scalars of a history, one step per epoch, or of metrics, as step 0."""
        folder, family = os.environ.get("TERRARIUM_TENSORBOARD"), dataset_name.rpartition(".")[0]
        if not folder or dataset_name.rpartition(".")[2] not in ("history", "metrics"):
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            logger.warning("TERRARIUM_TENSORBOARD is set and tensorboard is not installed: pip install tensorboard")
            return
        with SummaryWriter(str(Path(folder) / self.run / family)) as writer:
            for name, value, step in _scalars(data):
                writer.add_scalar(name, value, step)


def _scalars(data: Any) -> Iterator[tuple[str, float, int]]:
    if isinstance(data, pd.DataFrame):
        for row in data.to_dict("records"):
            numbers = ((name, value) for name, value in row.items() if isinstance(value, int | float))
            yield from ((f"history/{name}", float(value), int(row["epoch"])) for name, value in numbers)
    else:
        numbers = ((name, value) for name, value in data.items() if isinstance(value, int | float))
        yield from ((f"metrics/{name}", float(value), 0) for name, value in numbers)
