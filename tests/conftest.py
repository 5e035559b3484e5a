"""What all tests share."""

import os

import pytest
from hypothesis import settings

# The machine may be shared and compiles on first use: a slow example is no fault.
settings.register_profile("terrarium", deadline=None)
settings.load_profile("terrarium")


@pytest.fixture(autouse=True, scope="session")
def _quiet_environment():
    os.environ["KEDRO_DISABLE_TELEMETRY"] = "1"
    os.environ["DO_NOT_TRACK"] = "1"
    os.environ.setdefault("COLUMNS", "200")
