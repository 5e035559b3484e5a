import numpy as np
import pandas as pd
import pytest

from terrarium.common.schemas import TableError
from terrarium.common.splits import SplitError
from terrarium.pipelines.scenes.validators import require_finite_embeddings, require_valid_graph_index
from tests.scenes.scenery import tables


def test_embeddings_that_are_not_finite_are_not_saved():
    with pytest.raises(
        TableError, match=r"embeddings: column x0 must be finite, but graph_id b has nan \(1 such rows\): train again"
    ):
        require_finite_embeddings(pd.DataFrame({"graph_id": ["a", "b"], "x0": [1.0, np.nan]}))


def test_a_wrong_table_of_graphs_is_not_saved():
    index = tables()["index"]
    require_valid_graph_index(index)
    with pytest.raises(TableError, match="nodes"):
        require_valid_graph_index(index.assign(nodes=0))
    with pytest.raises(TableError, match="next_row"):
        require_valid_graph_index(index.drop(columns="next_row"))
    with pytest.raises(SplitError, match="are in two splits"):
        require_valid_graph_index(index.assign(split=np.where(np.arange(len(index)) % 2, "train", "test")))
