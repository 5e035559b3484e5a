"""What all tests share."""

import os

import pytest


@pytest.fixture(autouse=True, scope="session")
def _quiet_environment():
    os.environ["KEDRO_DISABLE_TELEMETRY"] = "1"
    os.environ["DO_NOT_TRACK"] = "1"
    os.environ.setdefault("COLUMNS", "200")
