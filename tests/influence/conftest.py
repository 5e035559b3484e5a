import pytest

from terrarium.influence.data.checkpoints import TrainingRun
from terrarium.influence.data.retraining import Retrainer
from tests.influence.runs import train
from tests.kge.graphs import options, random_graph


@pytest.fixture(scope="package")
def trained(tmp_path_factory):
    """A small knowledge graph training."""
    return train(tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="package")
def retrainer():
    """A small training to repeat."""
    chosen = options(
        model__name="complex", model__dim=8, training__optimizer__name="adagrad", training__optimizer__learning_rate=0.1
    )
    graph = random_graph(entities=14, relations=3, sizes=(60, 5, 6))
    return Retrainer(graph, TrainingRun(chosen.model, chosen.training), chosen.evaluation, 3)
