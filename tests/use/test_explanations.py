import pandas as pd
import pytest

from terrarium.influence.data.checkpoints import CheckpointError
from terrarium.use.explanations import explainer
from tests.kge.use.test_trained import trained_family


def test_checkpoints_are_read_when_a_prediction_is_explained(tmp_path):
    from terrarium.use.artifacts import Artifacts
    from tests.project import ROOT

    options = Artifacts(tmp_path, project=ROOT).parameters
    explain = explainer(trained_family(), tmp_path, options["influence"], options["knowledge_graph"]["evaluation"])
    with pytest.raises(CheckpointError):
        explain(pd.DataFrame([[0, 0, 1]]).to_numpy(), 3)
