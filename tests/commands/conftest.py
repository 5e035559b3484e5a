"""A data root that the tests of commands ask."""

import pytest

from tests.project import run


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A data root with two runs on apes that differ in their seed."""
    folder = tmp_path_factory.mktemp("commands")
    run(folder, "--pipelines=hyperbolic")
    run(folder, "--pipelines=hyperbolic", params="seed=1")
    return folder
