import math

import pytest

from terrarium.training.history import history_row, history_table, peak_memory_mb


def test_a_row_has_speed_and_memory():
    row = history_row(3, {"loss": 0.5, "items": 100, "norm": 2}, 4.0)
    assert list(row) == ["epoch", "loss", "norm", "seconds", "items_per_second", "peak_memory_mb"]
    assert row["items_per_second"] == 25.0
    assert 1 < peak_memory_mb() < 1e6


@pytest.mark.parametrize("numbers", [{"loss": 1.0}, {"items": 1}, {"loss": 1.0, "items": 1, "seconds": 3.0}])
def test_a_row_without_loss_or_with_a_taken_name_is_an_error(numbers):
    with pytest.raises(ValueError, match="must return loss and items"):
        history_row(1, numbers, 1.0)


def test_the_table_has_its_columns_in_order_and_one_best():
    rows = [
        history_row(1, {"learning_rate": 0.1, "loss": 2.0, "items": 1, "a": 1.0}, 1.0),
        history_row(2, {"learning_rate": 0.1, "loss": 1.0, "items": 1, "b": 1.0}, 1.0),
    ]
    table = history_table(rows, best_epoch=2)
    assert list(table) == [
        *("epoch", "loss", "a", "b", "learning_rate", "seconds", "items_per_second", "peak_memory_mb", "best")
    ]
    assert table["best"].tolist() == [False, True]
    assert math.isnan(table["b"][0])


def test_an_empty_table_has_the_usual_types():
    table = history_table([], best_epoch=0)
    assert list(table) == ["epoch", "loss", "seconds", "items_per_second", "peak_memory_mb", "best"]
    assert [str(dtype) for dtype in table.dtypes] == ["int64", *["float64"] * 4, "bool"]
