import pytest

from terrarium.hooks.parameters import check
from terrarium.influence.options import Options
from tests.influence.contexts import influence_options
from tests.test_parameters import parameters


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"checkpoints__use": "best", "checkpoints__epochs": [1]}, "one checkpoint"),
        ({"validation__removal_sizes": [-5]}, "greater than 0"),
        ({"validation__removal_sizes": []}, "at least 1 item"),
        ({"validation__removal_sizes": [5, 5]}, "twice"),
        ({"validation__num_subsets": 5, "validation__seeds": [0, 1]}, "5 subsets for 2 seeds"),
        ({"attribution__preconditioner": "exact", "attribution__projection_dim": 8}, "plain dot products only"),
        ({"attribution__method": "autograd"}, "plain dot products: set preconditioner"),
        ({"queries__kind": "file"}, "set path"),
    ],
)
def test_options_that_exclude_each_other_are_errors(changes, message):
    with pytest.raises(ValueError, match=message):
        influence_options(**changes)


@pytest.mark.parametrize(
    ("old", "value", "new"),
    [
        ("source.predicted", 3, "use influence.queries.num_predictions"),
        ("queries.limit", 3, "use influence.queries.max_queries"),
        ("model.checkpoints.use", "best", "use influence.checkpoints.use"),
        ("features.unit", "row", "use influence.attribution.attribution_unit"),
        ("evaluation.top", 3, "use influence.scoring.top_k"),
        ("evaluation.paths.most", 3, "use influence.paths.top_k"),
        ("training.left_out", 0.5, "use influence.validation.subset_dropout"),
        ("attribution.output_fn", "part", "use training_loss"),
        ("attribution.method", "backward", "use autograd"),
    ],
)
def test_old_names_give_errors_with_the_new_ones(old, value, new):
    tree = parameters("test")["influence"]
    *branch, name = old.split(".")
    place = tree
    for part in branch:
        place = place.setdefault(part, {})
    place[name] = value
    (fault,) = check({"influence": tree}, {"influence": Options})
    assert fault.startswith(f"influence.{old}")
    assert fault.endswith(new)
