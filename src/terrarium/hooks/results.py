"""A run ends with the paths of its results; TensorBoard and MLflow get its histories and metrics, if that is wanted."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from terrarium.datasets.base import has_version, location
from terrarium.hooks.catalogs import MANIFEST, family_of, versioned_datasets
from terrarium.hooks.manifests import manifest_reader

logger = logging.getLogger(__name__)

_ANNOUNCED = ("report", "vectors", "metrics")
_MLFLOW = "TERRARIUM_MLFLOW"
_BATCH = {"params": 100, "metrics": 1000}
"""What one call of MLflow's `log_batch` takes."""
_MAX_PARAMETER = 6000
"""Characters of a parameter's value in MLflow."""
_NOT_IN_NAMES = re.compile(r"[^\w\-. /:]")


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
    variable nothing is done. A run that fails has what it had saved.
    """

    @hook_impl(trylast=True)
    def after_pipeline_run(self, run_params: Mapping[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Write the scalars of a history, one step per epoch, and of metrics, as step 0."""
        folder = os.environ.get("TERRARIUM_TENSORBOARD")
        if not folder:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            logger.warning("TERRARIUM_TENSORBOARD is set and tensorboard is not installed: pip install tensorboard")
            return
        for dataset, data in _saved_scalars(pipeline, catalog):
            with SummaryWriter(str(Path(folder) / run_params["run_id"] / dataset.rpartition(".")[0])) as writer:
                for name, value, step in _scalars(data):
                    writer.add_scalar(name, value, step)

    @hook_impl
    def on_pipeline_error(self, run_params: Mapping[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Write what the run had saved before it failed."""
        self.after_pipeline_run(run_params, pipeline, catalog)


class LogToMlflow:
    """Log a finished run to the MLflow server, database or folder that `TERRARIUM_MLFLOW` names.

    The run is named by its version and has the parameters, histories, metrics, reports and the manifest. It needs the
    package mlflow-skinny or mlflow. Without the variable nothing is done; a server that fails is a warning, since the
    results are saved by then.
    """

    @hook_impl(trylast=True)
    def after_pipeline_run(self, run_params: Mapping[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Log the run, all at once."""
        uri = os.environ.get(_MLFLOW)
        manifest = manifest_reader(catalog)(run_params["run_id"]) if uri else None
        if uri is None or manifest is None:
            return
        try:
            from mlflow import MlflowClient
            from mlflow.exceptions import MlflowException
        except ImportError:
            logger.warning("%s is set and MLflow is not installed: pip install mlflow-skinny", _MLFLOW)
            return
        try:
            _log_run(MlflowClient(tracking_uri=uri), manifest, pipeline, catalog)
        except (MlflowException, OSError) as error:
            text = " ".join(str(error).split())
            logger.warning("The run is not in MLflow (%s): %s", uri, text, extra={"markup": False})


def _log_run(client: Any, manifest: Mapping[str, Any], pipeline: Pipeline, catalog: CatalogProtocol) -> None:
    from mlflow.entities import Metric, Param, RunTag

    families = {family_of(name) for name in pipeline.datasets()}
    started, ended = (_milliseconds(manifest[key]) for key in ("started", "ended"))
    experiment = client.get_experiment_by_name("terrarium")
    number = experiment.experiment_id if experiment else client.create_experiment("terrarium")
    run = client.create_run(number, start_time=started, run_name=manifest["run"]).info.run_id
    tags = {"pipelines": ",".join(manifest["pipelines"]), "environment": manifest["environment"] or "base"}
    if manifest["git"]:
        tags["mlflow.source.git.commit"] = manifest["git"]["commit"]
    client.log_batch(run, tags=[RunTag(*tag) for tag in tags.items()])
    chosen = {name: value for name, value in manifest["parameters"].items() if name in families}
    written = versioned_datasets(catalog, pipeline.all_outputs() | {MANIFEST})
    entries = {
        "params": [Param(name, text[:_MAX_PARAMETER]) for name, text in _leaves(chosen)],
        "metrics": [
            Metric(_NOT_IN_NAMES.sub("_", f"{name.rpartition('.')[0]}/{scalar}"), value, ended, step)
            for name, data in _saved_scalars(pipeline, catalog)
            for scalar, value, step in _scalars(data)
        ],
    }
    for kind, items in entries.items():
        for start in range(0, len(items), _BATCH[kind]):
            client.log_batch(run, **{kind: items[start : start + _BATCH[kind]]})
    for name, dataset in written.items():
        path = location(dataset, str(dataset.resolve_save_version()))
        if name.rpartition(".")[2] in ("report", "manifest") and Path(path).is_file():
            client.log_artifact(run, path, name.rpartition(".")[0])
    client.set_terminated(run, end_time=ended)


def _saved_scalars(pipeline: Pipeline, catalog: CatalogProtocol) -> Iterator[tuple[str, Any]]:
    """Yield name and content of the histories and metrics that a run has saved."""
    wanted = {name for name in pipeline.all_outputs() if name.rpartition(".")[2] in ("history", "metrics")}
    for name, dataset in versioned_datasets(catalog, wanted).items():
        if has_version(dataset, str(dataset.resolve_save_version())):
            yield name, catalog.load(name)


def _milliseconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000)


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield each parameter as a dotted name and its value as JSON."""
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value if isinstance(value, str) else json.dumps(value)


def _scalars(data: Any) -> Iterator[tuple[str, float, int]]:
    if isinstance(data, pd.DataFrame):
        for row in data.to_dict("records"):
            numbers = ((name, value) for name, value in row.items() if isinstance(value, int | float))
            yield from ((f"history/{name}", float(value), int(row["epoch"])) for name, value in numbers)
    else:
        numbers = ((name, value) for name, value in data.items() if isinstance(value, int | float))
        yield from ((f"metrics/{name}", float(value), 0) for name, value in numbers)
