"""A Kedro runner for several machines: `kedro run --runner=terrarium.runner.DaskRunner`."""

from terrarium.runner.dask_runner import DaskRunner

__all__ = ["DaskRunner"]
