import numpy as np
import pandas as pd
import pytest

from terrarium.common.vectors import coordinate_columns, coordinates, normalize_rows


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_get_length_one_and_keep_their_dtype(dtype):
    matrix = np.array([[3.0, 4.0], [0.0, 0.0], [0.0, 1e-3]], dtype)
    unit = normalize_rows(matrix)
    assert unit.dtype == dtype
    assert np.allclose(unit, [[0.6, 0.8], [0.0, 0.0], [0.0, 1.0]])
    assert (matrix == np.array([[3.0, 4.0], [0.0, 0.0], [0.0, 1e-3]], dtype)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_below_the_floor_stay_short(dtype):
    unit = normalize_rows(np.array([[3.0, 4.0], [0.0, 0.0], [0.0, 0.5]], dtype), floor=1.0)
    assert unit.dtype == dtype
    assert np.allclose(unit, [[0.6, 0.8], [0.0, 0.0], [0.0, 0.5]])


def test_the_last_axis_is_normalized_in_stacks_of_matrices():
    stack = np.random.default_rng(0).normal(size=(2, 3, 4))
    assert np.allclose(np.linalg.norm(normalize_rows(stack), axis=-1), 1.0)


def test_coordinate_columns_are_those_of_x_and_a_number_in_the_order_of_the_table():
    table = pd.DataFrame({"x1": [1.0], "id": [7], "x": [0.0], "x0": [2.0], "x2b": [0.0], "ax3": [0.0], "X4": [0.0]})
    assert coordinate_columns(table) == ["x1", "x0"]
    assert coordinates(table).tolist() == [[1.0, 2.0]]
    assert coordinates(table.astype({"x0": np.float32, "x1": np.float32})).dtype == np.float32


def test_a_table_without_coordinates_has_none():
    assert coordinate_columns(pd.DataFrame({"id": [1], 0: [2]})) == []
