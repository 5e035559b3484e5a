import numpy as np
import pytest

from terrarium.scenes.graphs.columns import from_state
from terrarium.scenes.graphs.features import encode, fit_encoding
from terrarium.scenes.graphs.scene_graph import RELATIONS
from tests.scenes.scenery import graphs_of, tables


def test_every_relation_has_its_slot_in_the_features_unless_collapsed():
    graphs = graphs_of("a>b", "a=b", "a~b")
    strict = fit_encoding(graphs, np.arange(3), standardize=True, relation_encoding="one_hot")
    slots = encode(graphs, strict)[1][:, 1:]
    assert slots.shape[1] == len(RELATIONS)
    assert slots.argmax(axis=1).tolist() == graphs.relation.tolist()
    collapsed = fit_encoding(graphs, np.arange(3), standardize=False, relation_encoding="collapsed")
    assert encode(graphs, collapsed)[1][:, 1:].argmax(axis=1).tolist() == [0, 0, 0, 0, 1, 1]


def test_features_are_scaled_by_the_training_graphs_alone():
    made = tables()
    graphs, train = from_state(made["graphs"]), np.flatnonzero(made["index"]["split"] == "train")
    nodes_, edges = encode(graphs, fit_encoding(graphs, train, standardize=True, relation_encoding="one_hot"))
    assert nodes_[graphs.node_rows(train), 0].mean() == pytest.approx(0.0, abs=1e-4)
    assert edges[graphs.edge_rows(train), 0].std() == pytest.approx(1.0, abs=1e-4)
    raw, _ = encode(graphs, fit_encoding(graphs, train, standardize=False, relation_encoding="one_hot"))
    assert raw[:, 0] == pytest.approx(graphs.speed)
