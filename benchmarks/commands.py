"""The default run and the start of the command line."""

import tempfile

from benchmarks.measuring import KEDRO, cost_of, report


def main() -> None:
    """`kedro registry list` and `kedro run --pipelines=hyperbolic`, three times each."""
    report("kedro registry list", [cost_of([KEDRO, "registry", "list"]) for _ in range(3)])
    costs = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            costs.append(cost_of([KEDRO, "run", "--pipelines=hyperbolic", f"--params=data_root={folder}"]))
    report("kedro run --pipelines=hyperbolic", costs)
