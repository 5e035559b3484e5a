"""Versions of old runs go; what newer runs were made from stays, however old it is."""

import pytest

from terrarium.pipeline_registry import register_pipelines
from terrarium.use.artifacts import Artifacts
from terrarium.use.pruning import old_versions, remove_version
from tests.project import ROOT, run


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A whole run, a second one, and an evaluation of the second one's weights."""
    folder = tmp_path_factory.mktemp("pruning")
    run(folder, "--pipelines=hyperbolic")
    run(folder, "--pipelines=hyperbolic", params="seed=1")
    run(folder, "--pipelines=hyperbolic", "--tags=evaluation")
    return folder


def test_the_newest_run_keeps_what_it_was_made_from(root):
    catalog = Artifacts(root, "test", ROOT).catalog
    names = register_pipelines()["hyperbolic"].datasets()
    newest, second, first = Artifacts(root, "test", ROOT).versions("runs.manifest")
    assert old_versions(catalog, names, 3) == []
    found = old_versions(catalog, names, 1)
    assert ("hyperbolic.weights", first) in found
    assert {version for _, version in found} == {first, second} or {version for _, version in found} == {first}
    assert ("hyperbolic.weights", second) not in found
    assert ("hyperbolic.metrics", newest) not in found
    for name, version in found:
        remove_version(catalog.get(name), version)
    after = Artifacts(root, "test", ROOT)
    assert after.versions("hyperbolic.weights") == [second]
    assert old_versions(after.catalog, names, 1) == []
    assert "hyperbolic.weights" in after.load("hyperbolic.weights")
