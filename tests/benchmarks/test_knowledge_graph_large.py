import pytest

from benchmarks import knowledge_graph_large as large
from benchmarks.results import read_results

pytestmark = pytest.mark.usefixtures("results_folder")


def test_an_epoch_is_extrapolated_from_some_steps(monkeypatch):
    monkeypatch.setenv("TERRARIUM_TRIPLES_COUNT", "30000")
    monkeypatch.setenv("TERRARIUM_ENTITIES", "4000")
    monkeypatch.setattr(large, "STEPS", 3)
    large.main()
    (row,) = read_results("knowledge_graph_large").to_dict("records")
    rows = int(row["rows"].replace(",", ""))
    assert 45_000 < rows <= 60_000
    assert int(row["steps per epoch"]) == -(-rows // 512)
