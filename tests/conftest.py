"""What all tests share."""

import os

import pytest
from hypothesis import settings

# Two tests at once with two threads each wait for each other at every small operation of torch.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The machine may be shared and compiles on first use: a slow example is no fault.
settings.register_profile("terrarium", deadline=None)
settings.load_profile("terrarium")


@pytest.fixture(autouse=True, scope="session")
def _quiet_environment():
    os.environ["KEDRO_DISABLE_TELEMETRY"] = "1"
    os.environ["DO_NOT_TRACK"] = "1"
    os.environ.setdefault("COLUMNS", "200")
