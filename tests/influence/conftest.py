import pytest

from tests.influence.runs import train


@pytest.fixture(scope="package")
def trained(tmp_path_factory):
    """A small knowledge graph training."""
    return train(tmp_path_factory.mktemp("trained"))
