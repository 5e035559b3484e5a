import numpy as np
import pandas as pd
import pytest

from terrarium.reporting.leaderboard import COLUMNS, leaderboard_page, leaderboard_table, quality_figure

DEFAULTS = {"senses": {"source": {"path": None}, "model": {"dim": 10, "seed": 0}, "training": {"lr": 0.1}}}


def result(run, mrr=0.5, dim=10, path=None, seed=0, **changes):
    """A run of senses as `RunResultsDataset` gives it."""
    options = {"source": {"path": path}, "model": {"dim": dim, "seed": seed}, "training": {"lr": 0.1}}
    manifest = {
        "run": run,
        "environment": None,
        "status": "finished",
        "started": "2026-01-01T00:00:00+00:00",
        "ended": "2026-01-01T00:01:30+00:00",
        "git": {"commit": "0123456789abcdef", "dirty": True},
        "parameters": {"senses": options},
    }
    history = pd.DataFrame({"seconds": [1.0, 2.0], "peak_memory_mb": [100.0, 200.0]})
    metrics = {"senses": {"test_mrr": mrr, "untrained_mrr": 0.1}}
    return {"manifest": manifest, "metrics": metrics, "history": {"senses": history}} | changes


def test_a_run_is_told_by_what_differs_from_the_defaults():
    table = leaderboard_table([result("a", dim=20, path="words", seed=3)], DEFAULTS)
    assert table.columns.tolist() == list(COLUMNS)
    row = table.iloc[0].to_dict()
    expected = {
        "run": "a", "recipe": "", "data": "source.path=words", "seed": "3", "metric": "test_mrr", "quality": 0.5,
        "baseline": 0.1, "seconds": 3.0, "memory_mb": 200.0, "commit": "0123456789+", "options": "model.dim=20",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected


def test_the_best_of_a_family_comes_first_and_unmeasured_runs_last():
    runs = [
        result("a", 0.2),
        result("b", 0.9),
        result("c", metrics={"senses": {}}),
        result("d", metrics={"influence": {}}),
    ]
    table = leaderboard_table(runs, DEFAULTS)
    assert table["run"].tolist() == ["d", "b", "a", "c"]


def test_a_run_that_did_not_train_has_the_seconds_of_the_run():
    table = leaderboard_table([result("a", history={})], DEFAULTS)
    assert table["seconds"].tolist() == [90.0]
    assert np.isnan(table["memory_mb"][0])


@pytest.mark.parametrize("runs", [[], [result("a"), result("b<i>", 0.3, dim=3)]], ids=["none", "two"])
def test_a_page_is_made_of_any_number_of_runs(runs):
    table = leaderboard_table(runs, DEFAULTS)
    page = leaderboard_page(table, quality_figure(table))
    assert page.count("<tr>") == 1 + len(runs)
    assert "b<i>" not in page
    assert "aria-sort" in page


def test_a_page_shows_some_of_many_options():
    options = ", ".join(f"model.option_{i}=1" for i in range(30))
    table = leaderboard_table([result("a")], DEFAULTS).assign(options=options)
    assert "and 24 more" in leaderboard_page(table, quality_figure(table))
