"""A small training to repeat."""

import pytest

from terrarium.influence.data.checkpoints import TrainingRun
from terrarium.influence.validation.retraining import Retrainer
from tests.kge.graphs import options, random_graph


@pytest.fixture(scope="package")
def retrainer():
    chosen = options(
        model__name="complex", model__dim=8, training__optimizer__name="adagrad", training__optimizer__learning_rate=0.1
    )
    graph = random_graph(entities=14, relations=3, sizes=(60, 5, 6))
    return Retrainer(graph, TrainingRun(chosen.model, chosen.training), chosen.evaluation, 3)
