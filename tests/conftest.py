"""What all tests share: a quiet environment, and a list of the optional parts that are missing."""

import os

import pytest
from hypothesis import settings

from tests.project import find_optional

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


def pytest_report_header():
    """Say what is skipped, and how to enable it."""
    missing = [(name, how) for name, is_there, how in find_optional() if not is_there]
    lines = [f"  {name:<28} {how}" for name, how in missing]
    return ["skipped on this machine, and how to enable it:", *lines] if missing else ["nothing optional is missing"]
