from pathlib import Path

import numpy as np
import pytest

from benchmarks import knowledge_graph_peers as peers
from tests.kge.graphs import random_graph

pytestmark = pytest.mark.usefixtures("results_folder")

pytest.importorskip("pykeen", reason="needs the extra oracle", exc_type=ImportError)


def test_both_programs_train_as_many_steps_and_rank_as_many_triples(monkeypatch):
    monkeypatch.setattr(peers, "BATCH", 32)
    graph = random_graph()
    train, evaluate = peers.ours(graph, 0)
    their_train, their_evaluate = peers.pykeen(graph)
    assert train() == their_train() > 1
    assert evaluate() == their_evaluate() == len(graph.splits["test"])


def test_a_row_a_program_is_printed(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(peers, "ROUNDS", 1)
    monkeypatch.setenv(peers.TRIPLES, str(written(tmp_path)))
    peers.main()
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("| PyKEEN", "| ours"))]
    assert len(rows) == 3
    assert "| 1.00 |" in rows[0]


def written(folder: Path) -> Path:
    """The random graph as triple files."""
    for name, part in random_graph().parts.items():
        np.savetxt(folder / f"{name}.txt", part, fmt=["e%d", "r%d", "e%d"], delimiter="\t")
    return folder
