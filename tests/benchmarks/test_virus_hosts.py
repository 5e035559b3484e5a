import json

import pandas as pd
import pytest

from benchmarks import virus_hosts
from benchmarks.results import read_results

pytestmark = pytest.mark.usefixtures("results_folder")


def test_a_finished_run_gives_one_row_per_split_and_method(tmp_path, monkeypatch):
    rows = [
        (split, method, 7, 0.5 + 0.1 * number, 0.25)
        for split in virus_hosts.SPLITS
        for number, method in enumerate(virus_hosts.METHODS)
    ]
    columns = ["split", "method", "queries", "top_answer_accuracy", "mrr"]
    pd.DataFrame(rows, columns=columns).to_parquet(tmp_path / "method_metrics.parquet")
    (tmp_path / "metrics.json").write_text(json.dumps({"test_mrr": 0.4, "test_groups_mrr": 0.3}))
    (tmp_path / "training_summary.json").write_text(json.dumps({"epochs": 9, "best_epoch": 4}))
    monkeypatch.setenv(virus_hosts.RUN, str(tmp_path))
    virus_hosts.main()
    table = read_results("virus_host").set_index("split: method")
    assert len(table) == 6
    assert table.loc["test: nearest relatives", "top host correct"] == "0.700"
    trained = table.loc["whole genera held out: trained"]
    assert (trained["tail MRR"], trained["MRR, both sides"], trained["epochs (best)"]) == ("0.250", "0.300", "9 (4)")
