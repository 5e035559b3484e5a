"""The runnable pipelines: one a family, and all of them by default."""

from kedro.pipeline import Pipeline

from terrarium.pipelines.hyperbolic.pipeline import create_pipeline as hyperbolic


def register_pipelines() -> dict[str, Pipeline]:
    """Pipelines by the name that `kedro run --pipelines=NAME` takes."""
    families = {"hyperbolic": hyperbolic()}
    return {**families, "__default__": sum(families.values(), Pipeline([]))}
