import numpy as np

from terrarium.training.batching import split_batches


def test_batches_hold_each_row_once_and_never_one_alone():
    for count in range(2, 40):
        batches = split_batches(np.arange(count), 4)
        assert np.concatenate(batches).tolist() == list(range(count))
        assert all(2 <= len(batch) <= 5 for batch in batches)


def test_no_rows_give_no_batches():
    assert split_batches(np.arange(0), 4) == []
