import pandas as pd

from benchmarks import knowledge_graph


def test_the_documents_table_stands_at_equal_and_at_documented_batches(monkeypatch, capsys):
    asked = []

    def run(parameters):
        asked.append(parameters)
        history = pd.DataFrame({"seconds": [9.0, 2.0, 3.0], "peak_memory_mb": 700.0, "gpu_peak_memory_mb": 500.0})
        kept = {"kept_for_backward_mb": 1.5, "kept_without_checkpointing_mb": 6.0}
        summary = kept if "training.gradient_checkpointing" in parameters else {}
        return knowledge_graph.Outcome(history, {"test_mrr": 0.25}, summary)

    monkeypatch.setattr(knowledge_graph, "run", run)
    knowledge_graph.main()
    printed = capsys.readouterr().out
    assert "| baseline (fp32) | 256 |" in printed
    assert "1.5 MB of 6.0 | 3.0 | 0.2500 | 6 GB, 96 s |" in printed
    assert [parameters["training.batch_size"] for parameters in asked] == ["256"] * 4 + ["512", "1024"]
