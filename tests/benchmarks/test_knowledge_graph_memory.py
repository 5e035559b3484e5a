import pytest
import torch

from benchmarks import knowledge_graph_memory as memory

pytestmark = pytest.mark.usefixtures("results_folder")


def test_the_peak_is_what_exists_at_once():
    def step():
        first = torch.ones(1_000_000)
        second = first + 1
        del first
        return second + 1

    assert memory.peak_mb(step) == pytest.approx(8, rel=1e-3)


def test_a_row_a_graph_is_printed(monkeypatch, capsys):
    monkeypatch.setattr(memory, "GRAPHS", ((30, 0), (30, 8)))
    monkeypatch.setattr(memory, "ROWS", 8)
    memory.main()
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("| 30 ")]
    assert [row[1] for row in rows] == ["all", "8"]
