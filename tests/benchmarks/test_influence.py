import pytest

from benchmarks import influence

pytestmark = pytest.mark.usefixtures("results_folder")


def test_loop_and_closed_forms_agree_and_are_timed(monkeypatch, capsys):
    monkeypatch.setattr(influence, "TRAIN", 24)
    monkeypatch.setattr(influence, "BACKWARD", 4)
    monkeypatch.setattr(influence, "TESTS", 3)
    row = influence.compare("complex", 8, "softmax")
    assert row["model, dimension"] == "complex, 8"
    assert float(row["largest difference / largest"]) < 1e-4
    contexts = [influence.context_of("complex", 8, "bce", method, {}) for method in ("autograd", "closed_form")]
    found = [influence.influence(*context, 4)[0] for context in contexts]
    assert abs(found[0] - found[1]).max() < 1e-6
    assert influence.kept_mb(contexts[0][0]) > 0
    assert influence.kept_mb(contexts[1][0]) == 0


def test_without_a_folder_the_large_ones_say_what_to_set(monkeypatch, capsys):
    monkeypatch.delenv(influence.TRIPLES, raising=False)
    influence.large()
    influence.validation()
    assert capsys.readouterr().out.count("set TERRARIUM_TRIPLES") == 2


def test_a_folder_without_splits_is_split(tmp_path):
    given = influence._graph_parameters(str(tmp_path), {"model.dim": "8"})
    assert given["knowledge_graph.source.train"] == "triples.tsv.gz"
    assert given["knowledge_graph.model.dim"] == "8"
    (tmp_path / "test.txt").touch()
    assert "knowledge_graph.source.train" not in influence._graph_parameters(str(tmp_path), {})
