"""The hooks on catalogs in memory and on disk."""

import logging
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, Literal

import pandas as pd
import pytest
from kedro.io import DataCatalog
from kedro.io.core import Version
from kedro.pipeline import Node, Pipeline

from terrarium.common.options import Options
from terrarium.datasets import JSONDataset, ParquetDataset, RunManifestDataset
from terrarium.hooks.inputs import ChooseInputs, MissingVersionError
from terrarium.hooks.parameters import check, family_models
from terrarium.hooks.pinning import PinVersions
from terrarium.hooks.recording import RecordRuns
from terrarium.hooks.results import AnnounceResults
from tests.test_parameters import parameters


def double(table: pd.DataFrame) -> pd.DataFrame:
    return table * 2


def total(table: pd.DataFrame) -> dict[str, float]:
    return {"total": float(table["a"].sum())}


PIPELINE = Pipeline(
    [
        Node(double, "f.raw", "f.doubled", name="f.double", tags="features"),
        Node(total, "f.doubled", "f.metrics", name="f.total", tags="evaluation"),
    ]
)


def catalog(folder, stamp):
    version = Version(None, stamp)
    return DataCatalog(
        {
            "f.raw": ParquetDataset(filepath=str(folder / "raw"), version=version),
            "f.doubled": ParquetDataset(filepath=str(folder / "doubled"), version=version),
            "f.metrics": JSONDataset(filepath=str(folder / "metrics"), version=version),
            "runs.manifest": RunManifestDataset(filepath=str(folder / "manifest"), version=version),
        }
    )


def run_params(stamp, folder, **changes):
    return {"run_id": stamp, "project_path": str(folder), "load_versions": {}, "pipeline_names": ["f"]} | changes


def frame(value):
    return pd.DataFrame({"a": [value]})


def test_a_run_reads_its_own_though_a_later_one_has_written(tmp_path):
    older, newer = catalog(tmp_path, "2026-01-01T00.00.00.000Z"), catalog(tmp_path, "2026-01-02T00.00.00.000Z")
    for each, stamp in ((older, "1"), (newer, "2")):
        PinVersions().before_pipeline_run(run_params(stamp, tmp_path), PIPELINE, each)
    older["f.doubled"].save(frame(1))
    newer["f.doubled"].save(frame(2))
    assert older["f.doubled"].load()["a"].tolist() == [1]
    assert newer["f.doubled"].load()["a"].tolist() == [2]


def record(folder, stamp, pipeline, write, error=None):
    data, params, hook = catalog(folder, stamp), run_params(stamp, folder), RecordRuns()
    PinVersions().before_pipeline_run(params, pipeline, data)
    hook.before_pipeline_run(params, pipeline, data)
    for node in pipeline.nodes:
        hook.before_node_run(node, data, stamp)
        for name in node.outputs:
            if name in write:
                data[name].save(write[name])
    if error:
        hook.on_pipeline_error(error, params, data)
    else:
        hook.after_pipeline_run(params, data)
    return catalog(folder, None)["runs.manifest"].load()


def test_the_manifest_says_what_was_read_and_written(tmp_path):
    catalog(tmp_path, "2026-01-01T00.00.00.000Z")["f.raw"].save(frame(1))
    stamp = "2026-01-02T00.00.00.000Z"
    found = record(tmp_path, stamp, PIPELINE, {"f.doubled": frame(2), "f.metrics": {"total": 2}})
    assert found["status"] == "finished"
    assert found["read"] == {"f.raw": "2026-01-01T00.00.00.000Z"}
    assert found["written"] == {"f.doubled": stamp, "f.metrics": stamp}
    assert found["packages"]["terrarium"]


def test_nodes_that_start_together_save_one_whole_manifest(tmp_path):
    stamp, count = "2026-01-02T00.00.00.000Z", 4
    data, hook = catalog(tmp_path, stamp), RecordRuns()
    catalog(tmp_path, "2026-01-01T00.00.00.000Z")["f.raw"].save(frame(1))
    hook.before_pipeline_run(run_params(stamp, tmp_path), PIPELINE, data)
    together = threading.Barrier(count)

    def start() -> None:
        for _ in range(25):
            together.wait(timeout=30)
            hook.before_node_run(PIPELINE.nodes[0], data, stamp)
            assert catalog(tmp_path, None)["runs.manifest"].load()["status"] == "running"

    with ThreadPoolExecutor(count) as pool:
        for thread in [pool.submit(start) for _ in range(count)]:
            thread.result()
    assert [path.name for path in (tmp_path / "manifest" / stamp).iterdir()] == ["manifest"]


def test_the_error_of_a_node_says_where_whatever_else_is_unfinished(tmp_path):
    """Also from another process, where hooks know nothing of the run: the error is pickled on its way."""
    catalog(tmp_path, "2026-01-01T00.00.00.000Z")["f.raw"].save(frame(1))
    error = ValueError("no")
    RecordRuns().on_node_error(error, PIPELINE.nodes[1])
    arrived = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    found = record(tmp_path, "2026-01-02T00.00.00.000Z", PIPELINE, {}, error=arrived)
    assert found["failed_at"] == "f.total"


def test_the_manifest_of_a_failed_run_says_where(tmp_path):
    catalog(tmp_path, "2026-01-01T00.00.00.000Z")["f.raw"].save(frame(1))
    found = record(tmp_path, "2026-01-02T00.00.00.000Z", PIPELINE, {"f.doubled": frame(2)}, error=ValueError("no"))
    assert (found["status"], found["failed_at"], found["error"]) == ("failed", "f.total", "ValueError: no")
    assert list(found["written"]) == ["f.doubled"]


def test_a_part_reads_what_belongs_together(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    first, second = "2026-01-01T00.00.00.000Z", "2026-01-02T00.00.00.000Z"
    catalog(tmp_path, first)["f.raw"].save(frame(1))
    record(tmp_path, first, PIPELINE, {"f.doubled": frame(2), "f.metrics": {"total": 2}})
    catalog(tmp_path, second)["f.raw"].save(frame(7))
    part = Pipeline([Node(lambda raw, doubled: raw, ["f.raw", "f.doubled"], "f.x", name="f.both")])
    data = catalog(tmp_path, "2026-01-03T00.00.00.000Z")
    ChooseInputs().before_pipeline_run(run_params("3", tmp_path), part, data)
    assert data["f.raw"].load()["a"].tolist() == [1]
    assert f"f.raw: reading version {first}, not the newest {second}" in caplog.text


def test_without_a_newest_version_among_the_inputs_the_run_is_the_reason(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    first, second, third = (f"2026-01-0{day}T00.00.00.000Z" for day in (1, 2, 3))
    both = {"f.doubled": frame(2), "f.metrics": {"total": 2}}
    catalog(tmp_path, first)["f.raw"].save(frame(1))
    record(tmp_path, first, PIPELINE, both)
    record(tmp_path, second, PIPELINE.only_nodes("f.total"), {"f.metrics": {"total": 3}})
    catalog(tmp_path, third)["f.doubled"].save(frame(7))
    part = Pipeline([Node(lambda *_: None, ["f.doubled", "f.metrics"], "f.x", name="f.both")])
    (tmp_path / "metrics" / third).mkdir()
    (tmp_path / "metrics" / third / "metrics").write_text("{}")
    ChooseInputs().before_pipeline_run(run_params("4", tmp_path), part, catalog(tmp_path, "2026-01-04T00.00.00.000Z"))
    assert f"f.doubled: reading version {first}, not the newest {third}, because run {second} has most" in caplog.text
    assert f"f.metrics: reading version {second}, not the newest {third}, because run {second} has most" in caplog.text


def test_an_input_that_was_never_made_is_named_with_its_command(tmp_path):
    data = catalog(tmp_path, "2026-01-03T00.00.00.000Z")
    with pytest.raises(MissingVersionError, match=r"f\.raw was never made.*kedro run --pipelines=f"):
        ChooseInputs().before_pipeline_run(run_params("3", tmp_path), PIPELINE, data)
    data["f.raw"].save(frame(1))
    named = run_params("3", tmp_path, load_versions={"f.raw": "2020-01-01T00.00.00.000Z"})
    with pytest.raises(MissingVersionError, match="there is no such version; the versions are 2026-01-03"):
        ChooseInputs().before_pipeline_run(named, PIPELINE, catalog(tmp_path, "2026-01-04T00.00.00.000Z"))


def test_results_are_announced(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    data = catalog(tmp_path, "2026-01-01T00.00.00.000Z")
    data["f.metrics"].save({"total": 1})
    AnnounceResults().after_pipeline_run(PIPELINE, data)
    assert caplog.messages == [f"f.metrics: {tmp_path / 'metrics' / '2026-01-01T00.00.00.000Z' / 'metrics'}"]


def tree(**changes):
    whole = parameters("local")
    for name, value in changes.items():
        *branch, last = name.split("__")
        place = whole
        for part in branch:
            place = place.setdefault(part, {})
        place[last] = value
    return whole


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"hyperbolc": {}}, "hyperbolc does not exist: did you mean hyperbolic?"),
        ({"data_roots": 1}, "data_roots does not exist: did you mean data_root?"),
        ({"hyperbolic__modl": {}}, "hyperbolic.modl does not exist: did you mean model?"),
        ({"hyperbolic__model__dims": 3}, "hyperbolic.model.dims does not exist: did you mean dim?"),
        ({"hyperbolic__model__max_radius": 40.0}, "hyperbolic.model.max_radius: input should be less than"),
        (
            {"hyperbolic__training__loss__name": "best"},
            "hyperbolic.training.loss.name: input should be 'joint', 'detour', 'distance_softmax'",
        ),
        ({"hyperbolic__features__root_norm": 0.99}, "leaf_norm must be larger than root_norm"),
        ({"hyperbolic__training__sampler__hard_negatives": 90}, "hard_negatives 90 is more than num_negatives 50"),
        ({"hyperbolic__source__extra_noise": ["("]}, "hyperbolic.source.extra_noise: '(' is no regular expression"),
        ({"hyperbolic__source": {}}, "hyperbolic.source.path is missing"),
    ],
)
def test_each_fault_has_its_line(changes, fault):
    faults = check(tree(**changes), family_models(), ["data_root", "seed"])
    assert any(fault in line for line in faults), faults
    assert all("\n" not in line for line in faults)


class Inner(Options):
    renamed: ClassVar = {
        "optimiser": "optimizer",
        "rate": "schedule.lr",
        "steps": "schedule.epochs, not batches",
        "gone": "was removed: nothing needs it",
    }
    renamed_values: ClassVar = {"optimizer": {"sgd": "plain_sgd"}}
    optimizer: Literal["adam", "plain_sgd"]


class Outer(Options):
    training: Inner
    variants: dict[str, Inner | None]


@pytest.mark.parametrize(
    ("inner", "fault"),
    [
        ({"optimizer": "adam", "optimiser": "adam"}, "optimiser was renamed: use f.{}.optimizer"),
        ({"optimizer": "adam", "rate": 1}, "rate was renamed: use f.{}.schedule.lr"),
        ({"optimizer": "adam", "steps": 1}, "steps was renamed: use f.{}.schedule.epochs, not batches"),
        ({"optimizer": "adam", "gone": 1}, "gone was removed: nothing needs it"),
        ({"optimizer": "sgd"}, "optimizer: sgd was renamed: use plain_sgd"),
        ({"optimizer": ["sgd"]}, "optimizer: input should be 'adam' or 'plain_sgd', not ['sgd']"),
        ({"optimizer": "adam", "gone": {"a": 1}}, "gone was removed: nothing needs it"),
    ],
)
def test_old_names_and_values_are_answered_with_the_new(inner, fault):
    right = {"optimizer": "adam"}
    in_block = check({"f": {"training": inner, "variants": {"a": right}}}, {"f": Outer})
    assert in_block == [f"f.training.{fault.format('training')}"]
    in_mapping = check({"f": {"training": right, "variants": {"a": inner, "b": None}}}, {"f": Outer})
    assert in_mapping == [f"f.variants.a.{fault.format('variants.a')}"]


def test_globals_may_stand_next_to_families():
    assert check(tree(data_root="/somewhere", seed=1), family_models(), ["data_root", "seed"]) == []
