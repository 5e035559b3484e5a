"""A run ends by saying where its results lie."""

from __future__ import annotations

import logging
from pathlib import Path

from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from terrarium.hooks.catalogs import all_versioned, family_of

logger = logging.getLogger(__name__)

_ANNOUNCED = ("report", "vectors", "metrics")


class AnnounceResults:
    """Log the paths of the report, the vectors and the metrics that a run has written."""

    @hook_impl(trylast=True)
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """One line an artifact, family by family."""
        wanted = {name for name in pipeline.all_outputs() if name.rpartition(".")[2] in _ANNOUNCED}
        written = all_versioned(catalog, wanted)
        for name in sorted(written, key=lambda name: (family_of(name), _ANNOUNCED.index(name.rpartition(".")[2]))):
            logger.info("%s: %s", name, Path(str(written[name]._get_load_path())))
