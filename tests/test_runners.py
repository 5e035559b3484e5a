"""Every runner gives the same bits: Kedro's three, and Dask on two workers."""

from importlib.util import find_spec

import pytest

from benchmarks.digests import digest_artifacts
from tests.project import SHARED, run

RUNNERS = {
    "ThreadRunner": [],
    "ParallelRunner": [],
    "terrarium.runner.DaskRunner": ["--runner-params=n_workers=2"],
}
PIPELINES = {
    "hyperbolic": "hyperbolic,hyperbolic_placement,hyperbolic_links",
    "senses": "senses,senses_reference",
    "influence": "knowledge_graph,influence,influence_validation",
    "scenes": "scenes",
    "scenes_tu": "scenes_tu",
    "all families": "__default__",
}


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_family_has_the_same_bits(runner, sequential_graph, tmp_path):
    require(runner)
    run(tmp_path, "--pipelines=knowledge_graph", f"--runner={runner}", *RUNNERS[runner])
    assert digest_artifacts(tmp_path) == digest_artifacts(sequential_graph)


@pytest.fixture(scope="module")
def sequential_graph(tmp_path_factory):
    root = tmp_path_factory.mktemp("sequential")
    run(root, "--pipelines=knowledge_graph")
    return root


@pytest.mark.slow
@pytest.mark.parametrize("name", PIPELINES)
def test_every_pipeline_has_the_same_bits_under_every_runner(name, tmp_path):
    params = ""
    if name == "scenes_tu":
        if not SHARED.is_dir():
            pytest.skip(f"no TU data sets in {SHARED}")
        params = f"scenes.tu.path={SHARED / 'tu'},scenes.tu.max_epochs=1,scenes.tu.num_seeds=1,scenes.tu.n_splits=2"
    run(tmp_path / "SequentialRunner", f"--pipelines={PIPELINES[name]}", params=params)
    expected = digest_artifacts(tmp_path / "SequentialRunner")
    assert len(expected) > 2
    for runner, arguments in RUNNERS.items():
        require(runner)
        run(tmp_path / runner, f"--pipelines={PIPELINES[name]}", f"--runner={runner}", *arguments, params=params)
        assert digest_artifacts(tmp_path / runner) == expected, runner


def require(runner: str) -> None:
    if "Dask" in runner and find_spec("distributed") is None:
        pytest.skip("pip install -c constraints.txt -e '.[cluster]'")
