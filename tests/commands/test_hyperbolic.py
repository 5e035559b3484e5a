"""Neighbours and ancestors as a table, as JSON and as CSV; one line when there is no answer."""

import io
import json

import pandas as pd

from terrarium.cli import terrarium
from tests.commands.asking import ask


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


def test_every_command_has_an_example():
    for name, command in terrarium.commands.items():
        assert f"Example: kedro terrarium {name}" in (command.help or ""), name


def test_place_names_the_likely_parents(root):
    done = ask(root, "place", "Homo sapiens", "Homo heidelbergensis", "-k", "3", "--json")
    assert "Homo" in [record["name"] for record in json.loads(done.stdout)]
    done = ask(root, "place", "Homo sapiens", "Pan", "--weights", "1")
    assert done.stderr.strip().splitlines()[-1] == "Error: 1 numbers for 2 relatives: give one for each"
    assert ask(root, "place", "Homo", "--weights", "a").returncode == 1
