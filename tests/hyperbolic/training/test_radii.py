"""Quality against the largest radius."""

from dataclasses import replace

import numpy as np
import pytest

from terrarium.hyperbolic.geometry.ball import pairwise
from terrarium.hyperbolic.layouts.rays import ray_layout
from terrarium.hyperbolic.training.radii import measure_radii, through_float32
from terrarium.pipelines.hyperbolic.validators import require_radius_metrics
from tests.hyperbolic.evaluation.test_compare import OPTIONS
from tests.hyperbolic.layouts.test_initial import MODEL
from tests.hyperbolic.training.problems import problem
from tests.hyperbolic.trees import random_tree

MEASURED = OPTIONS.model_copy(update={"radii": [4.0, 30.0], "num_radius_queries": 100, "max_radius_taxa": 1000})
RAYS = MODEL.model_copy(update={"init": "constructed", "construction": "rays"})


@pytest.fixture(scope="module")
def table():
    task = problem(loss="joint", train_radius=True, positive_weight=0.0, learning_rate=0.05, max_epochs=8)
    return measure_radii(replace(task, max_radius=4.0), RAYS, MEASURED)


def test_every_layout_is_measured_at_every_radius_in_both_precisions(table):
    require_radius_metrics(table)
    untrained = table[~table["trained"]]
    assert len(untrained) == 4 * 2 * 2
    assert len(table) - len(untrained) == 2 * 2
    assert set(table.loc[table["trained"], "layout"]) == {"rays"}


def test_training_adds_where_the_radius_is_small(table):
    rows = table[(table["layout"] == "rays") & (table["precision"] == "float64") & (table["max_radius"] == 4.0)]
    quality = rows.set_index("trained")["ancestor_map_detour"]
    assert quality[True] > quality[False]


def test_a_large_radius_is_better_in_float64_and_lost_in_float32(table):
    rows = table[(table["layout"] == "rays") & ~table["trained"]].set_index(["max_radius", "precision"])["edge_map"]
    assert rows[30.0, "float64"] > rows[4.0, "float64"]
    assert rows[30.0, "float32"] < rows[30.0, "float64"] - 0.01
    assert rows[4.0, "float32"] == pytest.approx(rows[4.0, "float64"], abs=0.01)


@pytest.mark.parametrize(("dim", "layout"), [(5, "rays"), (6, "cones")])
def test_the_default_layout_is_trained(dim, layout):
    task = problem(loss="joint", train_radius=True, positive_weight=0.0, max_epochs=1)
    table = measure_radii(task, RAYS.model_copy(update={"construction": "auto", "dim": dim}), MEASURED)
    trained = table[table["trained"]].drop_duplicates("max_radius").set_index("max_radius")["layout"]
    assert trained.to_dict() == {4.0: layout, 30.0: layout}


def test_large_trees_are_not_trained():
    task = problem(loss="joint", train_radius=True)
    found = measure_radii(task, RAYS, MEASURED.model_copy(update={"max_radius_taxa": 10, "radii": [4.0]}))
    assert not found["trained"].any()


def test_float32_keeps_radius_12_and_not_34():
    tree = random_tree(np.random.default_rng(0), 300)
    a, b = np.triu_indices(300, 1)
    errors = {}
    for radius in (12.0, 34.0):
        layout = ray_layout(tree, 5, radius)
        errors[radius] = np.abs(pairwise(through_float32(layout), a, b) - pairwise(layout, a, b)).max()
    assert errors[12.0] < 0.1
    assert errors[34.0] > 5.0
