"""Hygiene of the catalog: everything that stages hand to each other is kept, versioned, and shown."""

import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import CatalogConfigResolver, DataCatalog

from terrarium.pipeline_registry import register_pipelines
from tests.project import ROOT

UNVERSIONED = {
    "hyperbolic.training_state",
    "hyperbolic.placement.training_state",
    "hyperbolic.links.training_state",
    "scenes.training_state",
    "scenes.tu.training_state",
    "senses.training_state",
    "knowledge_graph.training_state",
}
NOT_OF_A_PIPELINE = {"runs.manifest"}
LAYERS = ["raw", "intermediate", "primary", "feature", "model_input", "models", "model_output", "reporting"]


@pytest.fixture(scope="module")
def written():
    loader = OmegaConfigLoader(str(ROOT / "conf"), base_env="base", default_run_env="local")
    return loader["catalog"]


@pytest.fixture(scope="module")
def used():
    datasets = set().union(*(pipeline.datasets() for pipeline in register_pipelines().values()))
    return {name for name in datasets if not name.startswith("params:") and name != "parameters"}


@pytest.fixture(scope="module")
def entries(written, used):
    """The entry of each dataset, patterns filled in."""
    resolver = CatalogConfigResolver(written)
    return {name: resolver.resolve_pattern(name) for name in used | NOT_OF_A_PIPELINE}


def test_every_dataset_of_a_pipeline_is_in_the_catalog_and_none_is_unused(written, used):
    resolver = CatalogConfigResolver(written)
    assert {resolver.match_dataset_pattern(name) or name for name in used} == set(written) - NOT_OF_A_PIPELINE


def test_everything_is_versioned_but_the_working_store(entries):
    assert {name for name, entry in entries.items() if not entry.get("versioned")} == UNVERSIONED


def test_layers_and_paths_agree(entries):
    for name, entry in entries.items():
        layer = entry["metadata"]["kedro-viz"]["layer"]
        folder = entry["filepath"].split("/")[1]
        assert layer in LAYERS, name
        if name not in UNVERSIONED:
            assert folder == f"{LAYERS.index(layer) + 1:02d}_{layer}", name
        assert name.partition(".")[0] in entry["filepath"], name


def test_every_type_can_be_made(entries):
    catalog = DataCatalog.from_config(entries)
    for name in entries:
        assert catalog.get(name) is not None


def test_tables_have_a_preview(entries):
    for name, entry in entries.items():
        if entry["type"].endswith("ParquetDataset"):
            assert entry["metadata"]["kedro-viz"]["preview_args"]["nrows"] > 0, name


def test_every_node_has_a_stage_and_a_family():
    for family, pipeline in register_pipelines().items():
        for node in pipeline.nodes:
            assert node.tags & {"ingestion", "features", "training", "evaluation", "reporting"}, node.name
            if family != "__default__":
                assert node.namespace in {family, family.replace("_", ".", 1)}
                assert node.name.startswith(f"{node.namespace}.")
