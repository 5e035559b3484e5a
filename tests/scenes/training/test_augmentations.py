import numpy as np
import pytest

from terrarium.scenes.training.augmentations import augment_view
from tests.scenes.scenery import options, problem

STILL = options().training.augmentation.model_copy(
    update={"node_noise": 0.0, "edge_noise": 0.0, "edge_drop_prob": 0.0, "node_drop_prob": 0.0}
)


@pytest.fixture(scope="module")
def view():
    return problem(options()).graphs.view(np.arange(60))


def changed(view, seed=0, **changes):
    return augment_view(view, STILL.model_copy(update=changes), np.random.default_rng(seed))


def test_without_changes_a_view_is_the_graphs(view):
    same = changed(view)
    assert np.array_equal(same.x, view.x)
    assert np.array_equal(same.edge, view.edge)


def test_noise_reaches_speeds_and_paths_alone(view):
    noisy = changed(view, node_noise=0.5, edge_noise=0.2)
    assert (noisy.x[:, 0] - view.x[:, 0]).std() == pytest.approx(0.5, rel=0.2)
    assert (noisy.edge_x[:, 0] - view.edge_x[:, 0]).std() == pytest.approx(0.2, rel=0.2)
    assert np.array_equal(noisy.x[:, 1:], view.x[:, 1:])
    assert np.array_equal(noisy.edge_x[:, 1:], view.edge_x[:, 1:])


def test_directions_of_a_relation_are_dropped_together_or_one_by_one(view):
    pairs = np.bincount(changed(view, edge_drop_prob=0.5).pair)
    assert set(pairs[pairs > 0].tolist()) == {2}
    assert 1 in np.bincount(changed(view, edge_drop_prob=0.5, drop_edge_pairs=False).pair)


def test_graphs_keep_a_road_user_and_edges_stay_inside_their_graph(view):
    small = changed(view, node_drop_prob=0.9)
    assert set(small.graph.tolist()) == set(range(view.num_graphs))
    assert len(small.x) < len(view.x) / 2
    assert (small.graph[small.edge[0]] == small.graph[small.edge[1]]).all()
    assert small.edge.max(initial=-1) < len(small.x)
