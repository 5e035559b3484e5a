"""Every runner gives the same bits: Kedro's three, and Dask on two workers."""

import hashlib
import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from safetensors.numpy import load_file

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
TIMES = ("seconds", "per_second", "_mb", "minutes")


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_family_has_the_same_bits(runner, sequential_graph, tmp_path):
    require(runner)
    run(tmp_path, "--pipelines=knowledge_graph", f"--runner={runner}", *RUNNERS[runner])
    assert artifacts(tmp_path) == artifacts(sequential_graph)


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
    expected = artifacts(tmp_path / "SequentialRunner")
    assert len(expected) > 2
    for runner, arguments in RUNNERS.items():
        require(runner)
        run(tmp_path / runner, f"--pipelines={PIPELINES[name]}", f"--runner={runner}", *arguments, params=params)
        assert artifacts(tmp_path / runner) == expected, runner


def require(runner: str) -> None:
    if "Dask" in runner and find_spec("distributed") is None:
        pytest.skip("pip install -c constraints.txt -e '.[cluster]'")


def artifacts(root: Path) -> dict[str, str]:
    """The digest of each artifact without times, by its path without the version."""
    return {key: hashlib.sha256(content).hexdigest() for key, content in _contents(root)}


def _contents(root: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(root.rglob("*")):
        folders = path.relative_to(root).parts
        if not path.is_file() or {"runs", "training_state"} & set(folders):
            continue
        key = "/".join(part for part in folders if not part.endswith("Z"))
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
            yield key, table[[name for name in table if not is_time(name)]].to_csv().encode()
        elif path.suffix == ".json":
            yield key, json.dumps(without_times(json.loads(path.read_text(encoding="utf-8")))).encode()
        elif path.suffix == ".safetensors":
            tensors = load_file(path).items()
            yield key, b"".join(name.encode() + array.tobytes() for name, array in sorted(tensors))


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_times(item) for name, item in value.items() if not is_time(name)}
    return [without_times(item) for item in value] if isinstance(value, list) else value


def is_time(name: object) -> bool:
    return str(name).endswith(TIMES)
