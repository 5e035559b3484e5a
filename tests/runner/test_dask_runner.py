"""Nodes on the workers of a Dask cluster, here two processes on the loopback interface."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click import ClickException
from kedro.io import DataCatalog
from kedro.io.core import generate_timestamp
from kedro.pipeline import Node, Pipeline

pytest.importorskip("distributed", reason="pip install -c constraints.txt -e '.[cluster]'")

from distributed import Client, LocalCluster

from terrarium.common.tasks import map_tasks
from terrarium.runner import DaskRunner


@pytest.fixture(scope="module")
def address():
    with LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


def catalog_of(folder: Path, *names: str, **inputs: Any) -> DataCatalog:
    entries = {
        name: {
            "type": "terrarium.datasets.JSONDataset",
            "filepath": str(folder / f"{name}.json"),
            "versioned": True,
        }
        for name in names
    }
    return DataCatalog.from_config(
        entries | {name: {"type": "MemoryDataset", "data": value} for name, value in inputs.items()},
        save_version=generate_timestamp(),
    )


def double(number: int) -> int:
    return 2 * number


def add(one: int, other: int) -> int:
    return one + other


def process(number: int) -> int:
    return os.getpid()


def die_once(marker: str) -> tuple[int, "KillsOnce"]:
    """Return two outputs; saving the second one kills the worker, the first time."""
    return 1, KillsOnce(marker)


class KillsOnce(dict):
    """A JSON object whose writing kills the process unless the marker exists."""

    def __init__(self, marker: str) -> None:
        super().__init__(done=True)
        self._marker = Path(marker)

    def items(self):
        if not self._marker.exists():
            self._marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().items()


def fail(number: int) -> int:
    raise ValueError(f"{number} is not a number of worms")


def test_data_pass_through_the_catalog(address, tmp_path):
    nodes = [Node(double, "start", "two"), Node(double, "two", "four"), Node(add, ["two", "four"], "six")]
    catalog = catalog_of(tmp_path, "two", "four", "six", start=1)
    DaskRunner(address=address).run(Pipeline(nodes), catalog)
    assert catalog.load("six") == 6


def test_nodes_run_in_the_workers(address, tmp_path):
    catalog = catalog_of(tmp_path, "pid", start=1)
    DaskRunner(address=address).run(Pipeline([Node(process, "start", "pid")]), catalog)
    with Client(address) as client:
        assert catalog.load("pid") in client.run(os.getpid).values()


def test_the_node_of_a_killed_worker_runs_again_and_replaces_what_it_had_saved(address, tmp_path):
    catalog = catalog_of(tmp_path, "first", "second", marker=str(tmp_path / "killed"))
    DaskRunner(address=address).run(Pipeline([Node(die_once, "marker", ["first", "second"])]), catalog)
    assert (tmp_path / "killed").exists()
    assert (catalog.load("first"), catalog.load("second")) == (1, {"done": True})


def test_the_error_of_a_node_is_the_run_s(address, tmp_path):
    catalog = catalog_of(tmp_path, "worms", start=3)
    with pytest.raises(ValueError, match="3 is not a number of worms"):
        DaskRunner(address=address).run(Pipeline([Node(fail, "start", "worms")]), catalog)


def test_outputs_that_would_stay_in_a_worker_s_memory_are_refused_before_the_first_node(tmp_path):
    nodes = [Node(double, "start", "two"), Node(double, "two", "four")]
    with pytest.raises(ClickException, match=r"two would stay in the memory of one worker"):
        DaskRunner().run(Pipeline(nodes), catalog_of(tmp_path, "four", start=1))
    assert not list(tmp_path.iterdir())


def test_the_number_of_workers_belongs_to_a_cluster_on_this_machine():
    with pytest.raises(ClickException, match="leave it out with an address"):
        DaskRunner(address="tcp://127.0.0.1:1", n_workers=2)


def test_an_address_where_nothing_listens_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr("terrarium.runner.dask_runner._CONNECT_S", "1s")
    with pytest.raises(ClickException, match=r"no scheduler answers at tcp://127.0.0.1:1 .*dask scheduler"):
        DaskRunner(address="tcp://127.0.0.1:1").run(
            Pipeline([Node(double, "start", "two")]), catalog_of(tmp_path, "two", start=1)
        )


def scale(folder: str, number: int) -> dict[str, int]:
    """Return a product, once two processes have begun with such a task: the first one waits for the second."""
    begun = Path(folder)
    (begun / str(os.getpid())).touch()
    deadline = time.monotonic() + 60
    while len(list(begun.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    return {"product": 3 * number, "pid": os.getpid()}


def fan_out(folder: str, numbers: list[int]) -> list[dict[str, int]]:
    return map_tasks(scale, folder, numbers, "Products")


def test_a_node_shares_its_tasks_with_all_workers(address, tmp_path):
    (tmp_path / "begun").mkdir()
    catalog = catalog_of(tmp_path, "products", place=str(tmp_path / "begun"), numbers=list(range(8)))
    DaskRunner(address=address).run(Pipeline([Node(fan_out, ["place", "numbers"], "products")]), catalog)
    products = pd.DataFrame(catalog.load("products"))
    assert products["product"].tolist() == [3 * number for number in range(8)]
    assert products["pid"].nunique() == 2
    assert os.getpid() not in set(products["pid"])
