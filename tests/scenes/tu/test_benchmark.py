import numpy as np
import pytest

from terrarium.scenes.tu import benchmark as tu
from terrarium.scenes.tu.cross_validation import Fold
from terrarium.sources.errors import SourceError
from terrarium.training.checkpointing.store import TrainingStore
from tests.scenes.scenery import options
from tests.sources.test_tu import folder  # noqa: F401


@pytest.fixture
def chosen(folder):  # noqa: F811
    small = {
        "tu__path": str(folder),
        "tu__datasets": ["TOY"],
        "tu__max_epochs": 2,
        "tu__num_seeds": 2,
        "tu__n_splits": 3,
    }
    return options(**small, tu__hidden_channels=8, tu__batch_size=4)


def test_the_encoder_is_trained_and_classified_in_folds(chosen, tmp_path, monkeypatch):
    sets = tu.read_sets(chosen.tu)
    trained = tu.train_sets(sets, TrainingStore(tmp_path), chosen.tu, chosen.model, chosen.training)
    embeddings, history = trained["embeddings"], trained["history"]
    assert len(history) == 2 * 2
    assert {array.shape for array in embeddings.tensors.values()} == {(6, 3 * 8 * 3)}
    monkeypatch.setattr(
        tu, "cross_validate", lambda vectors, label, folds, seed, scale: [Fold(0.5 + 0.1 * seed, 0.5, "linear")] * folds
    )
    evaluated = tu.evaluate_sets(sets, embeddings, chosen.tu)
    metrics, table = evaluated["metrics"], evaluated["accuracies"]
    assert len(table) == 4 * 2 * 3
    assert {"accuracy", "inner_accuracy", "kernel"} <= set(table.columns)
    assert metrics["toy_trained_accuracy"] == pytest.approx(55.0)
    assert metrics["toy_trained_seed_std"] == pytest.approx(5.0)


def test_views_number_both_directions_of_an_edge_as_one_pair(chosen):
    graphs = tu._data_set(tu.read_sets(chosen.tu), "TOY")
    view = tu.encode_set(graphs).view(np.array([3, 1]))
    assert view.num_graphs == 2
    assert sorted(np.unique(view.pair, return_counts=True)[1].tolist()) == [2] * 6
    assert (view.graph[view.edge[0]] == view.graph[view.edge[1]]).all()


def test_subtrees_tell_triangles_from_paths_and_graphs_that_are_equal_are_one(chosen):
    """Equal graphs have the inner product 1; without rounds only labels are counted, and all six have the same."""
    graphs = tu._data_set(tu.read_sets(chosen.tu), "TOY")
    products = tu.subtree_counts(graphs, 2) @ tu.subtree_counts(graphs, 2).T
    same = graphs.label[:, None] == graphs.label[None, :]
    assert products[same] == pytest.approx(1.0)
    assert (products[~same] < 0.9).all()
    plain = tu.subtree_counts(graphs, 0)
    assert plain @ plain.T == pytest.approx(1.0)


def test_the_kernel_counts_labels_and_not_attributes(chosen, folder, caplog):  # noqa: F811
    """No two nodes have equal attributes, so labels made of them would leave nothing in common."""
    plain = tu._data_set(tu.read_sets(chosen.tu), "TOY")
    for part, rows in (("node", len(plain.x)), ("edge", len(plain.edge))):
        file = folder / "TOY" / "raw" / f"TOY_{part}_attributes.txt"
        file.write_text("\n".join(f"{i / 7}, {i * i}" for i in range(rows)) + "\n")
    caplog.set_level("INFO")
    rich = tu._data_set(tu.read_sets(chosen.tu), "TOY")
    assert rich.x.shape[1] == plain.x.shape[1] + 2
    assert np.array_equal(tu.subtree_counts(rich, 2), tu.subtree_counts(plain, 2))
    assert "2 node labels (or degrees), 2 node attributes" in caplog.text
    (folder / "TOY" / "raw" / "TOY_node_labels.txt").unlink()
    bare = tu.subtree_counts(tu._data_set(tu.read_sets(chosen.tu), "TOY"), 0)
    assert bare @ bare.T == pytest.approx(1.0)


def test_without_a_path_the_run_stops():
    with pytest.raises(SourceError, match=r"scenes.tu.path is null"):
        tu.read_sets(options().tu)
