"""All methods on one split, and the tables that leave the pipeline."""

import numpy as np

from terrarium.hyperbolic.associations.evaluate import (
    EUCLIDEAN,
    FIXED,
    JOINT,
    evaluate_associations,
    point_table,
    predict_links,
)
from terrarium.hyperbolic.layouts.rays import ray_layout
from tests.hyperbolic.associations.links import options, targets


def test_every_method_is_measured_on_the_same_links():
    tree, found = targets()
    result = evaluate_associations(tree, ray_layout(tree, 5, 8.0), found, options(hierarchy_weight=10.0, max_epochs=3))
    table = result.table.set_index("method")
    assert {FIXED, JOINT, EUCLIDEAN} <= set(table.index)
    assert table["links"].nunique() == 1
    assert table["mrr"].between(0.0, 1.0).all()
    assert table.loc["nearest relatives in the tree", "mrr"] > table.loc["popularity", "mrr"]
    assert table["ancestor_map_detour"].notna().sum() == 3
    assert result.method == JOINT


def test_without_a_weight_nothing_is_trained_jointly():
    tree, found = targets()
    result = evaluate_associations(tree, ray_layout(tree, 5, 8.0), found, options(max_epochs=1))
    assert JOINT not in set(result.table["method"])
    assert result.method == FIXED


def test_points_and_predictions_are_tables():
    tree, found = targets()
    fitted = evaluate_associations(tree, ray_layout(tree, 5, 8.0), found, options(max_epochs=1)).fitted
    table = point_table(found, fitted)
    assert list(table) == ["relation", "other", "radius", "u0", "u1", "u2", "u3", "u4"]
    assert len(table) == 5 * 4
    np.testing.assert_allclose(np.linalg.norm(table.filter(regex="^u"), axis=1), 1.0)
    rows, best = predict_links(found, fitted)
    unknown = np.flatnonzero(~found.is_true.any(axis=1))
    np.testing.assert_array_equal(rows, np.tile(unknown, 2))
    assert set(found.names["relation"].iloc[best[: len(unknown)]]) == {"infects"}
