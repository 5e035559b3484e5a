import numpy as np
import pandas as pd
import pytest

from terrarium.scenes.coverage.representations import OneSourceError, make_space
from terrarium.training.checkpointing.state import State
from tests.scenes.scenery import graphs, options


def table(source):
    return pd.DataFrame({"graph_id": ["a"], "scene": ["s"], "source": [source], "split": ["test"], "x0": [1.0]})


@pytest.mark.parametrize(("part", "missing"), [("test", "real"), ("validation", "simulation")])
def test_scenes_of_one_source_are_told(part, missing):
    """On validation scenes the test scenes are left out, so that nothing is chosen by them."""
    labels = pd.DataFrame(np.zeros((1, 1), bool), columns=["x"])
    evaluation = options(evaluation__split=part, evaluation__coverage__recorded="real").evaluation
    with pytest.raises(OneSourceError, match=f"no graph is of the source '{missing}'"):
        make_space(graphs(), table("simulation"), labels, State({}), evaluation)
