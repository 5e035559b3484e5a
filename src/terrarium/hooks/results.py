"""A run ends with the paths of its results."""

from __future__ import annotations

import logging

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
