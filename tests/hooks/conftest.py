import logging
import sys

import pytest
from kedro.framework import project

from .mini import Mini


@pytest.fixture
def mini(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(project, "PACKAGE_NAME", None)
    return Mini(tmp_path)


@pytest.fixture
def lines():
    """What the hooks log; Kedro's set-up of logging removes the handlers of the root."""
    found, logger = [], logging.getLogger("terrarium")
    handler = logging.Handler()
    handler.emit = lambda record: found.append(record.getMessage())
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield found
    logger.removeHandler(handler)
    logger.setLevel(level)
