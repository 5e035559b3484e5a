import pandas as pd
import pytest

from benchmarks import knowledge_graph

pytestmark = pytest.mark.usefixtures("results_folder")


def test_the_claims_are_measured_at_equal_and_at_claimed_batch_sizes(monkeypatch, capsys):
    monkeypatch.setenv(knowledge_graph.TRIPLES, "/data/umls")
    asked = []

    def run(parameters):
        asked.append(parameters)
        half = "training.precision" in parameters
        peak = 350.0 if half else 700.0
        history = pd.DataFrame({"seconds": [9.0, 2.0, 3.0], "peak_memory_mb": peak, "gpu_peak_memory_mb": peak})
        kept = {"kept_for_backward_mb": 1.5, "kept_without_checkpointing_mb": 6.0}
        summary = kept if "training.memory.gradient_checkpointing" in parameters else {}
        sizes = {"entities": 135, "relations": 46, "train_triples": 5216}
        return knowledge_graph.Outcome(history, {"test_mrr": 0.24 if half else 0.25}, summary, sizes)

    monkeypatch.setattr(knowledge_graph, "run", run)
    knowledge_graph.main()
    printed = capsys.readouterr().out
    assert "Graph umls: 135 entities, 46 relations, 5,216 train triples; 40 epochs per row" in printed
    assert "| baseline (fp32) | 256 | 700 MB | 1.00x |" in printed
    assert "350 MB | 2.00x | 1.5 MB of 6.0 | 3.0 | 1.00x | 0.2400 | -4.0 % | 6 GB, 96 s; " in printed
    assert [parameters["training.batch_size"] for parameters in asked] == ["256"] * 4 + ["512", "1024"]
