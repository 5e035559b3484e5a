import pytest

from terrarium.kge.evaluation.baselines import UnknownRelationError
from terrarium.kge.evaluation.predictions import UnknownEntityError
from terrarium.kge.training.preflight import check_evaluation
from terrarium.training.torch.device import DeviceError
from tests.kge.graphs import graph, options, tables


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"evaluation__precision": "16-mixed"}, DeviceError, "16-mixed needs a GPU"),
        ({"evaluation__predict__heads": ["nobody"]}, UnknownEntityError, "no entity 'nobody'"),
        ({"evaluation__predict__relation": "eats"}, UnknownRelationError, "no relation 'eats'"),
        ({"evaluation__baseline__relation": "eats"}, UnknownRelationError, "no relation 'eats'"),
        ({"evaluation__baseline__hierarchy": "parent_of"}, UnknownRelationError, "no relation is compared"),
    ],
)
def test_what_could_not_be_evaluated_is_refused_before_the_training(changes, error, message):
    chosen, (_, entities, relations) = options(**changes), tables()
    with pytest.raises(error, match=message):
        check_evaluation(graph(), entities, relations, chosen.training, chosen.evaluation)
