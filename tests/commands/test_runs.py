"""`kedro terrarium versions` and `compare`."""

import io
import json

import pandas as pd
from click.shell_completion import BashComplete

from terrarium.cli import cli
from tests.commands.asking import ask


def test_runs_are_listed_and_compared(root):
    runs = json.loads(ask(root, "versions", "--json").stdout)
    assert [run["status"] for run in runs] == ["finished", "finished"]
    newer, older = (run["run"] for run in runs)
    differences = pd.read_csv(io.StringIO(ask(root, "compare", older, newer, "--csv").stdout), dtype=str)
    parameters = differences[differences["kind"] == "parameter"].set_index("name")
    assert parameters.loc["hyperbolic.training.seed", ["first", "second"]].tolist() == ["0", "1"]
    assert differences[differences["kind"] == "metric"]["name"].str.startswith("hyperbolic.").any()


def test_commands_and_options_are_completed():
    complete = BashComplete(cli, {}, "kedro", "_KEDRO_COMPLETE").get_completions
    assert [found.value for found in complete(["terrarium"], "near")] == ["nearest"]
    assert [found.value for found in complete(["terrarium", "nearest"], "--fam")] == ["--family"]
