import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.training.batching import split_batches, split_part


@given(st.integers(1, 60), st.integers(2, 12), st.integers(0, 3))
def test_batches_partition_the_order_and_none_has_a_single_row(count, size, seed):
    order = np.random.default_rng(seed).permutation(count)
    batches = split_batches(order, size)
    assert np.concatenate(batches).tolist() == order.tolist()
    assert all(len(batch) == size for batch in batches[:-1])
    assert len(batches[-1]) <= size + 1
    assert count == 1 or all(len(batch) > 1 for batch in batches)


def test_batches_of_one_row_that_are_asked_for_are_given():
    assert [batch.tolist() for batch in split_batches(np.arange(4), 1)] == [[0], [1], [2, 3]]


@given(st.integers(1, 60), st.integers(1, 12), st.integers(0, 12))
def test_a_last_batch_that_is_too_small_for_all_processes_joins_the_one_before(count, processes, more):
    order, size = np.arange(count), processes + more
    batches = split_batches(order, size, max(2, processes))
    assert np.concatenate(batches).tolist() == order.tolist()
    assert len(batches) == 1 or len(batches[-1]) >= processes


@given(st.integers(1, 60), st.integers(1, 8))
def test_the_parts_of_the_processes_are_the_batch(count, processes):
    rows = np.arange(count)
    if count < processes:
        with pytest.raises(ValueError, match="too small"):
            split_part(rows, 0, processes)
        return
    parts = [split_part(rows, rank, processes) for rank in range(processes)]
    assert np.concatenate(parts).tolist() == rows.tolist()
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_no_rows_give_no_batches():
    assert split_batches(np.arange(0), 4) == []
