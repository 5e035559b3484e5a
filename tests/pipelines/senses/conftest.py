import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    """Two tests at once with two threads each wait for each other at every small operation."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
