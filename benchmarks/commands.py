"""Default runs and the start of the command line."""

import tempfile

from benchmarks.measuring import KEDRO, cost_of, cost_row
from benchmarks.results import replace_rows


def main() -> None:
    """Time `kedro registry list` and `kedro run --pipelines=hyperbolic`, three times each."""
    listing = [cost_of([KEDRO, "registry", "list"]) for _ in range(3)]
    costs = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            costs.append(cost_of([KEDRO, "run", "--pipelines=hyperbolic", f"--params=data_root={folder}"]))
    rows = (cost_row("kedro registry list", listing), cost_row("kedro run --pipelines=hyperbolic", costs))
    replace_rows("commands", rows)


def scenes() -> None:
    """Time `kedro run --pipelines=scenes` once."""
    with tempfile.TemporaryDirectory() as folder:
        cost = cost_of([KEDRO, "run", "--pipelines=scenes", f"--params=data_root={folder}"])
    replace_rows("commands", [cost_row("kedro run --pipelines=scenes (300 simulated scenes, 24 epochs)", [cost])])
