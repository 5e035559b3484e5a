import numpy as np
import pytest

from terrarium.pipelines.scenes import tu
from terrarium.sources.errors import SourceError
from terrarium.training.checkpoints import TrainingStore
from tests.sources.test_tu import folder  # noqa: F401

from .scenery import options


@pytest.fixture
def chosen(folder):  # noqa: F811
    small = {"tu__path": str(folder), "tu__datasets": ["TOY"], "tu__epochs": 2, "tu__seeds": 2, "tu__folds": 3}
    return options(**small, tu__hidden=8, tu__batch_size=4)


def test_the_encoder_is_trained_and_classified_in_folds(chosen, tmp_path, monkeypatch):
    sets = tu.read_sets(chosen.tu)
    embeddings, history = tu.train_sets(sets, TrainingStore(tmp_path), chosen.tu, chosen.model, chosen.training)
    assert len(history) == 2 * 2
    assert {array.shape for array in embeddings.tensors.values()} == {(6, 3 * 8 * 3)}
    monkeypatch.setattr(tu, "accuracies", lambda vectors, label, folds, seed: [0.5 + 0.1 * seed] * folds)
    metrics, table = tu.evaluate_sets(sets, embeddings, chosen.tu)
    assert len(table) == 3 * 2 * 3
    assert metrics["toy_trained_accuracy"] == pytest.approx(55.0)
    assert metrics["toy_trained_seed_deviation"] == pytest.approx(5.0)


def test_views_number_both_directions_of_an_edge_as_one_pair(chosen):
    graphs = tu._graphs(tu.read_sets(chosen.tu), "TOY")
    view = tu.view_of(graphs, np.array([3, 1]))
    assert view.count == 2
    assert sorted(np.unique(view.pair, return_counts=True)[1].tolist()) == [2] * 6
    assert (view.graph[view.edge[0]] == view.graph[view.edge[1]]).all()


def test_folds_read_what_is_linear():
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 90)
    vectors = rng.normal(size=(90, 4)) + 3.0 * label[:, None]
    assert np.mean(tu.accuracies(vectors, label, 3, 0)) > 0.95


def test_without_a_path_the_run_stops():
    with pytest.raises(SourceError, match=r"scenes.tu.path is null"):
        tu.read_sets(options().tu)
