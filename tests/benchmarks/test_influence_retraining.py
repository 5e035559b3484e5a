from pathlib import Path

import pytest

from benchmarks import influence_retraining as retraining
from benchmarks.results import read_results

pytestmark = pytest.mark.usefixtures("results_folder")


def test_held_out_losses_have_a_row_next_to_loss_and_self_influence(monkeypatch):
    monkeypatch.setenv(retraining.TRIPLES, str(Path(__file__).parents[1] / "kge" / "triples"))
    monkeypatch.setattr(retraining, "EPOCHS_WITH_MISLABELLED", 1)
    retraining.mislabelled()
    table = read_results("influence_held_out").set_index("graph: score")
    assert {"triples: held-out loss", "triples: loss", "triples: self-influence"} <= set(table.index)
    assert table["AUC"].astype(float).between(0, 1).all()
