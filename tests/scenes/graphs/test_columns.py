import numpy as np
import pytest

from terrarium.scenes.graphs.columns import WrongVocabularyError, from_state
from terrarium.training.checkpointing.state import State, read_state, write_state
from tests.scenes.scenery import graphs_of, tables


def test_columns_survive_the_file(tmp_path):
    state = tables()["graphs"]
    write_state(tmp_path / "graphs.safetensors", state)
    assert read_state(tmp_path / "graphs.safetensors").equals(state)


def test_another_vocabulary_is_refused():
    state = tables()["graphs"]
    with pytest.raises(WrongVocabularyError, match="relations are"):
        from_state(State(state.tensors, state.metadata | {"relations": ["neighbor_vehicle"]}))


def test_rows_of_chosen_graphs_follow_each_other():
    graphs = graphs_of("a>b", "a=b a>c", "a~b")
    assert graphs.node_rows(np.array([2, 0])).tolist() == [5, 6, 0, 1]
    assert graphs.edge_rows(np.array([1])).tolist() == [2, 3, 4, 5]
