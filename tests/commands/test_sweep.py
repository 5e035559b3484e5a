import csv
import os

from click.testing import CliRunner

from terrarium.cli import cli

from ..project import ROOT, environment


def test_recipes_and_seeds_are_runs_whose_metrics_are_collected(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    for name, value in environment().items():
        monkeypatch.setitem(os.environ, name, value)
    command = ["terrarium", "sweep", "--pipelines=knowledge_graph", "--recipes=test", "--seeds=0,1", "--workers=2"]
    done = CliRunner().invoke(cli, [*command, f"--data-root={tmp_path}"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "test seed 1: done" in done.output
    with (tmp_path / "sweep.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    losses = {row["seed"]: row["value"] for row in rows if row["metric"] == "test_mrr"}
    assert losses.keys() == {"0", "1"}
    assert losses["0"] != losses["1"]


def test_a_failed_run_is_named_with_its_last_line(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    command = ["terrarium", "sweep", "--pipelines=scenes", "--recipes=nowhere", f"--data-root={tmp_path}"]
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == 1
    assert "There is no environment nowhere" in done.output
    assert "1 of 1 runs failed" in done.output
