import json

import pytest
from kedro.io.core import DatasetError

from terrarium.datasets import RunResultsDataset
from tests.project import run


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A data root with two small runs and one whose metrics were removed."""
    folder = tmp_path_factory.mktemp("results")
    run(folder, "--pipelines=hyperbolic")
    run(folder, "--pipelines=hyperbolic", params="seed=1")
    return folder


def results(root):
    return RunResultsDataset(
        filepath=root / "08_reporting/runs/manifest.json",
        metrics=f"{root}/08_reporting/{{family}}/metrics.json",
        history=f"{root}/06_models/{{family}}/history.parquet",
    )


def test_runs_come_with_their_metrics_the_newest_first(root):
    loaded = results(root).load()
    assert [one["manifest"]["seeds"]["hyperbolic.model.seed"] for one in loaded] == [1, 0]
    for one in loaded:
        version = one["manifest"]["run"]
        (path,) = root.glob(f"08_reporting/hyperbolic/metrics.json/{version}/metrics.json")
        assert one["metrics"] == {"hyperbolic": json.loads(path.read_text(encoding="utf-8"))}
        assert "seconds" in one["history"]["hyperbolic"]


def test_what_is_damaged_is_left_out(root):
    (path, *_) = sorted(root.glob("08_reporting/hyperbolic/metrics.json/*/metrics.json"))
    text = path.read_bytes()
    try:
        path.write_bytes(b"{")
        assert [sorted(one["metrics"]) for one in results(root).load()] == [["hyperbolic"], []]
    finally:
        path.write_bytes(text)


def test_nothing_is_saved_and_no_run_is_no_error(tmp_path):
    assert results(tmp_path).load() == []
    with pytest.raises(DatasetError, match="read, never saved"):
        results(tmp_path).save([])


def test_the_leaderboard_is_a_run_of_its_own(root):
    done = run(root, "--pipelines=leaderboard")
    assert "leaderboard.report" in done.stdout
    (page,) = root.glob("08_reporting/leaderboard/report.html/*/report.html")
    assert page.read_text(encoding="utf-8").count('<td class="text">hyperbolic</td>') == 2
