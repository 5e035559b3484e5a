"""Equal runs have equal digests, whatever they took."""

import json

import pytest

from benchmarks.digests import digest_artifacts
from terrarium.training.checkpointing.state import State, write_state


def save(root, version, *, seconds=1.0, mrr=0.5):
    write_state(root / f"06_models/f/weights.safetensors/{version}/weights.safetensors", State({}, {}))
    folder = root / f"08_reporting/f/metrics.json/{version}"
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps({"a": {"mrr": mrr, "test_seconds": seconds}}))


@pytest.mark.parametrize(("changes", "are_equal"), [({"seconds": 2.0}, True), ({"mrr": 0.25}, False)])
def test_times_do_not_count(tmp_path, changes, are_equal):
    save(tmp_path / "one", "2026Z")
    save(tmp_path / "two", "2027Z", **changes)
    assert (digest_artifacts(tmp_path / "one") == digest_artifacts(tmp_path / "two")) == are_equal


def test_the_newest_version_counts(tmp_path):
    save(tmp_path / "one", "2026Z", mrr=0.1)
    save(tmp_path / "one", "2027Z")
    save(tmp_path / "two", "2026Z")
    assert digest_artifacts(tmp_path / "one") == digest_artifacts(tmp_path / "two")
