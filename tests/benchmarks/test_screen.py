"""The rows of docs/benchmarks.md are measured again: old values next to new ones, without the data that are missing."""

import json

import pandas as pd
import pytest

from benchmarks import screen
from benchmarks.measuring import Cost
from benchmarks.page import SCREEN_ROWS
from benchmarks.screen import COLUMNS, QUICK, QuickRow, Values


def test_every_row_of_the_page_can_be_measured_again():
    assert set(QUICK) == set(SCREEN_ROWS)


@pytest.fixture
def runs(monkeypatch):
    """The commands that would run, each of two CPU seconds."""
    commands = []
    monkeypatch.setattr(screen, "cost_of", lambda command: commands.append(command) or Cost(5.0, 2.0, 1.0))
    return commands


def test_old_values_are_next_to_new_ones(runs, monkeypatch):
    quick = QuickRow(lambda: [["--pipelines=a"], ["--pipelines=b", "--params=x=1"]], lambda _: Values(0.5, 0.25, 0.125))
    monkeypatch.setitem(QUICK, "scenes", quick)
    (row,) = screen.measure(["scenes"])
    assert tuple(row) == COLUMNS
    assert [row[f"{name}, new"] for name in ("Terrarium", "baseline", "untrained")] == ["0.5", "0.25", "0.125"]
    assert str(row["Terrarium, old"]).startswith("0.")
    assert row["CPU s"] == 4
    assert [command[1:3] for command in runs] == [["run", "--pipelines=a"], ["run", "--pipelines=b"]]
    assert runs[1][-1].startswith("--params=data_root=")
    assert runs[1][-1].endswith(",x=1")


@pytest.mark.parametrize(("family", "variable"), [("influence", "TERRARIUM_TRIPLES"), ("senses", "TERRARIUM_WORDSIM")])
def test_without_its_data_a_row_says_what_to_set(runs, monkeypatch, family, variable):
    monkeypatch.delenv(variable, raising=False)
    (row,) = screen.measure([family])
    assert row["CPU s"] == f"set {variable}"
    assert runs == []


def test_a_baseline_that_a_quick_run_lacks_is_left_empty(runs, monkeypatch):
    quick = QuickRow(lambda: [["--pipelines=a"]], lambda _: Values(0.5, float("nan"), 0.125))
    monkeypatch.setitem(QUICK, "scenes", quick)
    (row,) = screen.measure(["scenes"])
    assert (row["Terrarium, new"], row["baseline, new"]) == ("0.5", "")


def save(folder, name, table):
    path = folder / name / "v" / name
    path.parent.mkdir(parents=True)
    if isinstance(table, dict):
        path.write_text(json.dumps(table), encoding="utf-8")
    else:
        table.to_parquet(path)


def test_values_are_read_from_what_a_run_leaves(tmp_path):
    save(
        tmp_path,
        "layout_metrics.parquet",
        pd.DataFrame({"layout": ["rays", "combinatorial", "inherited"], "ancestor_map_detour": [1.0, 0.9, 0.3]}),
    )
    methods = ["trained", "majority", "nearest relatives"]
    save(
        tmp_path,
        "method_metrics.parquet",
        pd.DataFrame({"split": ["test"] * 3, "method": methods, "mrr": [0.9, 0.5, 0.8]}),
    )
    save(
        tmp_path,
        "metrics.json",
        {"probe_macro_f1": 0.8, "probe_macro_f1_wl_kernel": 0.9, "probe_macro_f1_random_encoder": 0.6},
    )
    assert QUICK["hyperbolic"].read(str(tmp_path)) == Values(1.0, 0.9, 0.3)
    assert QUICK["knowledge_graph"].read(str(tmp_path)) == Values(0.9, 0.8, 0.5)
    assert QUICK["scenes"].read(str(tmp_path)) == Values(0.8, 0.9, 0.6)
