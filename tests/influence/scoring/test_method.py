import pandas as pd
import pytest

from terrarium.influence.scoring.method import count_checkpoints, method_name
from tests.influence.contexts import influence_options

UNWEIGHTED = {"attribution__hessian": "none"}
PLAIN = UNWEIGHTED | {"attribution__preconditioner": "none"}


@pytest.mark.parametrize(
    ("changes", "count", "name"),
    [
        (PLAIN, 3, "TracInCP"),
        (PLAIN, 1, "TracIn at one checkpoint"),
        (UNWEIGHTED, 3, "TracInCP, preconditioned by the optimizer's state (factored)"),
        (
            {"attribution__preconditioner": "none", "attribution__hessian": "empirical_fisher"},
            3,
            "TracInCP, multiplied by the inverse of the empirical Fisher matrix",
        ),
        (PLAIN | {"attribution__normalization": "cosine"}, 2, "TracInCP, cosine of gradients"),
        (PLAIN | {"attribution__projection_dim": 8}, 2, "TracInCP, gradients projected to 8 dimensions"),
    ],
)
def test_only_plain_sums_are_called_tracin_alone(changes, count, name):
    assert method_name(influence_options(**changes).attribution, 60, count, 1) == name


def test_averages_over_trainings_are_named():
    table = pd.DataFrame({"training": [0, 0, 1, 1], "epoch": [1, 4, 1, 4]})
    assert count_checkpoints(table) == (2, 2)
    assert method_name(influence_options(**PLAIN).attribution, 60, 2, 2) == "TracInCP, mean of 2 trainings"
