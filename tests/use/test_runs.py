"""Tables of runs say what manifests say."""

import math

from terrarium.use.runs import list_runs

MANIFEST = {
    "run": "2026-01-01T00.00.00.000Z",
    "status": "finished",
    "pipelines": ["hyperbolic", "senses"],
    "environment": None,
    "started": "2026-01-01T00:00:00+00:00",
    "ended": "2026-01-01T00:01:30+00:00",
    "seeds": {"a.seed": 0, "b.seed": 0},
    "git": {"commit": "0123456789abcdef", "dirty": True},
    "written": {"hyperbolic.weights": "x", "hyperbolic.metrics": "x"},
}


def test_a_finished_run_has_its_seconds_seed_and_commit():
    (row,) = list_runs([MANIFEST]).to_dict("records")
    assert row["seconds"] == 90
    assert row["seed"] == "0"
    assert row["commit"] == "0123456+"
    assert row["pipelines"] == "hyperbolic, senses"


def test_a_run_that_did_not_end_has_no_seconds():
    (row,) = list_runs([MANIFEST | {"ended": None, "status": "running", "git": None}]).to_dict("records")
    assert math.isnan(row["seconds"])
    assert row["commit"] == ""


def test_no_runs_give_an_empty_table_with_columns():
    assert list_runs([]).columns[0] == "run"
