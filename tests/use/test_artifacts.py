"""Artifacts are read without a session, in versions that belong together."""

import os
import subprocess
import sys

import pytest

import terrarium
from terrarium import settings
from terrarium.use.artifacts import CONF, Artifacts, MissingArtifactError
from tests.project import ROOT, environment, run


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory):
    """A data root with a run of apes, and a later ingestion of lemurs that nothing was trained on."""
    root = tmp_path_factory.mktemp("runs")
    run(root, "--pipelines=hyperbolic")
    run(root, "--pipelines=hyperbolic", "--tags=ingestion,features", params="hyperbolic.source.clade=Lemuridae")
    return root


def test_vectors_come_with_the_names_they_were_trained_on(two_runs):
    embedding = terrarium.load("hyperbolic", data_root=two_runs, env="test", project=ROOT)
    assert embedding.name_of(0) == "Hominidae"
    assert "Homo sapiens" in set(embedding.nodes["name"])


def test_an_older_version_may_be_named(two_runs):
    artifacts = Artifacts(two_runs, "test", ROOT)
    (trained,) = artifacts.versions("hyperbolic.weights")
    newest, oldest = artifacts.versions("hyperbolic.taxa")
    assert oldest == trained
    assert artifacts.load("hyperbolic.taxa")["hyperbolic.taxa"]["name"].iloc[0] == "Lemuridae"
    assert artifacts.load("hyperbolic.taxa", oldest)["hyperbolic.taxa"]["name"].iloc[0] == "Hominidae"
    assert [manifest["run"] for manifest in artifacts.manifests()] == [newest, oldest]


def test_what_is_missing_is_told_with_what_there_is(two_runs, tmp_path):
    with pytest.raises(MissingArtifactError, match=r"has no version yesterday; there are 20"):
        terrarium.load("hyperbolic", "yesterday", data_root=two_runs, project=ROOT)
    with pytest.raises(MissingArtifactError, match=r"first run `kedro run --pipelines=senses`"):
        terrarium.load("senses", data_root=tmp_path, project=ROOT)
    with pytest.raises(ValueError, match="no family 'cats': use one of hyperbolic, "):
        terrarium.load("cats")


def test_without_a_project_the_error_says_where_to_go(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingArtifactError, match="change to its folder"):
        Artifacts()


def test_reading_needs_no_session_and_no_torch(two_runs):
    program = (
        "import sys, terrarium; "
        f"terrarium.load('hyperbolic', data_root={str(two_runs)!r}); "
        "assert 'torch' not in sys.modules; assert 'kedro.framework.session' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment(**os.environ), check=True)


def test_the_configuration_is_read_as_the_project_reads_it():
    assert settings.CONFIG_LOADER_ARGS["base_env"] == "base"
    assert settings.CONFIG_LOADER_ARGS["default_run_env"] == "local"
    assert (ROOT / CONF / "base").is_dir()
