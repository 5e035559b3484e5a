"""`kedro terrarium NAME` answers as a table, as JSON and as CSV, and ends with one line when it cannot."""

import io
import json
import subprocess

import pandas as pd
import pytest

from tests.project import KEDRO, ROOT, environment, run


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A data root with two runs on apes that differ in their seed."""
    folder = tmp_path_factory.mktemp("commands")
    run(folder, "--pipelines=hyperbolic")
    run(folder, "--pipelines=hyperbolic", params="seed=1")
    return folder


def ask(root, *arguments):
    """Run a command; its log is apart from what it prints."""
    command = [str(KEDRO), "terrarium", *arguments, "--data-root", str(root)]
    return subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=300, check=False
    )


def test_nearest_as_a_table_json_and_csv(root):
    assert "Pan" in ask(root, "nearest", "Homo sapiens", "-k", "30").stdout
    records = json.loads(ask(root, "nearest", "Homo sapiens", "-k", "3", "--json").stdout)
    assert [sorted(record) for record in records] == [["distance", "id", "name", "rank"]] * 3
    table = pd.read_csv(io.StringIO(ask(root, "nearest", "Homo", "Pan", "-k", "2", "--csv").stdout))
    assert table["query"].tolist() == ["Homo", "Homo", "Pan", "Pan"]


def test_ancestors_say_how_far_they_can_be_trusted(root):
    done = ask(root, "ancestors", "Homo sapiens")
    assert "precision" in done.stderr
    assert "Hominidae" in done.stdout


def test_an_unknown_name_ends_in_one_line(root):
    done = ask(root, "nearest", "Pann")
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1] == "Error: no node is called 'Pann'; did you mean 'Pan'?"
    assert "Traceback" not in done.stderr


def test_an_export_names_its_files(root, tmp_path):
    (record,) = json.loads(ask(root, "export", "parquet", str(tmp_path), "--json").stdout)
    assert len(pd.read_parquet(record["file"])) > 20


def test_runs_are_listed_and_compared(root):
    runs = json.loads(ask(root, "versions", "--json").stdout)
    assert [run["status"] for run in runs] == ["finished", "finished"]
    newer, older = (run["run"] for run in runs)
    differences = pd.read_csv(io.StringIO(ask(root, "compare", older, newer, "--csv").stdout), dtype=str)
    parameters = differences[differences["kind"] == "parameter"].set_index("name")
    assert parameters.loc["hyperbolic.training.seed", ["first", "second"]].tolist() == ["0", "1"]
    assert "hyperbolic.edge_map" in set(differences[differences["kind"] == "metric"]["name"])


def test_every_command_has_an_example():
    from terrarium.cli import terrarium

    for name, command in terrarium.commands.items():
        assert f"Example: kedro terrarium {name}" in (command.help or ""), name
