from pathlib import Path

import pytest

from benchmarks import knowledge_graph_settings as settings
from benchmarks.parameters import parameters_of
from benchmarks.results import read_results

pytestmark = pytest.mark.usefixtures("results_folder")
FOLDER = str(Path(__file__).parents[1] / "kge" / "triples")


def test_a_setting_replaces_parameters_and_nothing_else():
    tree = parameters_of("knowledge_graph", "base")
    changed = settings.with_setting(tree, FOLDER, "model.dim=6, training.loss.n3_weight=0.5")
    assert (changed["model"].pop("dim"), changed["training"]["loss"].pop("n3_weight")) == (6, 0.5)
    assert changed["source"].pop("path") == FOLDER
    del tree["model"]["dim"], tree["training"]["loss"]["n3_weight"], tree["source"]["path"]
    assert changed == tree
    with pytest.raises(SystemExit, match=r"no parameter knowledge_graph\.model\.dimm"):
        settings.with_setting(tree, FOLDER, "model.dimm=6")


def test_every_setting_has_a_row_with_its_cost(monkeypatch):
    monkeypatch.setenv(settings.TRIPLES, FOLDER)
    monkeypatch.setenv(settings.SETTINGS, "model.dim=6,training.loss.n3_weight=0.1,training.max_epochs=2")
    settings.main()
    (row,) = read_results("knowledge_graph_settings").to_dict("records")
    assert row["graph: setting"].startswith("triples: model.dim=6")
    assert row["epochs (best)"].startswith("2 (")
    assert 0 < float(row["test MRR"]) <= 1
