"""Hygiene of the catalog: everything that stages hand to each other is kept, versioned, and shown."""

from pathlib import Path

import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import CatalogConfigResolver, DataCatalog
from kedro.io.core import is_parameter

from terrarium.pipeline_registry import register_pipelines
from tests.project import ROOT

RECORD = Path(__file__).with_name("catalog.csv")
UNVERSIONED = {"leaderboard.results"} | {
    f"{name}.training_state"
    for name in (
        *("hyperbolic", "hyperbolic.placement", "hyperbolic.links"),
        *("senses", "senses.reference", "knowledge_graph", "scenes", "scenes.tu"),
    )
}
READS_OTHERS = {"leaderboard.results"}
"""Entries whose path is that of another entry."""
NOT_OF_A_PIPELINE = {"runs.manifest"}
LAYERS = ["raw", "intermediate", "primary", "feature", "model_input", "models", "model_output", "reporting"]


def _written():
    return OmegaConfigLoader(str(ROOT / "conf"), base_env="base", default_run_env="local")["catalog"]


def _used():
    datasets = set().union(*(pipeline.datasets() for pipeline in register_pipelines().values()))
    return {name for name in datasets if not name.startswith("params:") and name != "parameters"}


def _entries():
    """The entry of each dataset, patterns filled in."""
    resolver = CatalogConfigResolver(_written())
    return {name: resolver.resolve_pattern(name) for name in sorted(_used() | NOT_OF_A_PIPELINE)}


def _rows(entries):
    columns = (
        (name, entry["type"].rpartition(".")[2], entry["metadata"]["kedro-viz"]["layer"], entry["filepath"])
        for name, entry in entries.items()
    )
    return ["dataset,type,layer,path", *(",".join(row) for row in columns)]


@pytest.fixture(scope="module")
def written():
    return _written()


@pytest.fixture(scope="module")
def used():
    return _used()


@pytest.fixture(scope="module")
def entries():
    return _entries()


def test_every_dataset_of_a_pipeline_is_in_the_catalog_and_none_is_unused(written, used):
    resolver = CatalogConfigResolver(written)
    entries = {name if name in written else resolver.match_dataset_pattern(name) for name in used}
    assert entries == set(written) - NOT_OF_A_PIPELINE


def test_no_parameter_is_taken_for_a_dataset(written):
    """Kedro also matches parameters with the patterns: `params:f.metrics` would be read as `{family}.metrics`."""
    resolver = CatalogConfigResolver(written)
    inputs = set().union(*(pipeline.inputs() for pipeline in register_pipelines().values()))
    parameters = sorted(name for name in inputs if is_parameter(name))
    assert parameters
    assert {name: entry for name in parameters if (entry := resolver.match_dataset_pattern(name))} == {}


def test_everything_is_versioned_but_the_working_store(entries):
    assert {name for name, entry in entries.items() if not entry.get("versioned")} == UNVERSIONED


def test_the_resolved_catalog_is_as_recorded(entries):
    """`python -m tests.test_catalog` records it again after a dataset was added, renamed or removed on purpose."""
    assert sorted(_rows(entries)) == sorted(RECORD.read_text(encoding="utf-8").splitlines())


def test_a_path_follows_from_layer_and_name(entries):
    for name, entry in entries.items():
        layer = entry["metadata"]["kedro-viz"]["layer"]
        assert layer in LAYERS, name
        folder, *rest = entry["filepath"].removeprefix("data/").split("/")
        if name not in UNVERSIONED:
            assert folder == f"{LAYERS.index(layer) + 1:02d}_{layer}", name
        if name not in READS_OTHERS:
            assert "/".join(rest).partition(".")[0] == name.replace(".", "/"), name


def test_every_type_can_be_made(entries):
    catalog = DataCatalog.from_config(entries)
    for name in entries:
        assert catalog.get(name) is not None


def test_every_node_has_a_stage_and_a_family():
    for family, pipeline in register_pipelines().items():
        for node in pipeline.nodes:
            assert node.tags & {"ingestion", "features", "training", "evaluation", "reporting"}, node.name
            if family != "__default__":
                assert node.namespace in {family, family.replace("_", ".", 1), family.partition("_")[0]}
                assert node.name.startswith(f"{node.namespace}.")


if __name__ == "__main__":
    RECORD.write_text("\n".join(_rows(_entries())) + "\n", encoding="utf-8")
