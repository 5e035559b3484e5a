"""A run in several threads: packages that nodes import late are imported before."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from kedro.framework.hooks import hook_impl

PACKAGES = ("torch", "lightning.fabric", "sklearn", "scipy.stats", "networkx", "plotly.graph_objects", "pandera.pandas")
"""Packages that nodes import when they need them. Their modules import each other in circles."""


class ImportBeforeThreads:
    """Import late packages at once: two threads that begin such a circle at two places deadlock."""

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any]) -> None:
        """Import them if the runner is ThreadRunner."""
        if "ThreadRunner" in str(run_params.get("runner")):
            for name in PACKAGES:
                if find_spec(name.partition(".")[0]):
                    import_module(name)
