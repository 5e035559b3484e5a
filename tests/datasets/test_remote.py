"""Datasets on object stores: round trips, versions, and saves that appear whole or not at all."""

import json
import pickle

import fsspec
import pytest
from kedro.io.core import DatasetError, Version

import terrarium.datasets
from terrarium.datasets.base import discard_saved
from tests.datasets.test_datasets import CASES
from tests.project import s3_server

FIRST, SECOND = "2026-01-01T00.00.00.000Z", "2026-01-02T00.00.00.000Z"


@pytest.fixture(scope="module")
def server():
    with s3_server() as address:
        yield address


@pytest.fixture(params=["memory", "s3"])
def store(request, tmp_path):
    """Address of an empty folder, and the arguments of its file system."""
    if request.param == "memory":
        yield f"memory:///{tmp_path.name}", {}  # Kedro drops what comes before the third slash
        fsspec.filesystem("memory").rm(f"/{tmp_path.name}", recursive=True)
        return
    yield _bucket(request.getfixturevalue("server"), tmp_path.name.replace("_", "-").lower())


def _bucket(address, name):
    from obstore.fsspec import register

    register("s3", asynchronous=False)
    import urllib.request

    urllib.request.urlopen(urllib.request.Request(f"{address}/{name}", method="PUT")).close()
    config = {
        "endpoint": address,
        "access_key_id": "any",
        "secret_access_key": "any",
        "region": "us-east-1",
        "virtual_hosted_style_request": "false",
    }
    return f"s3://{name}", {"config": config, "client_options": {"allow_http": True}}


def make(name, store, version):
    folder, fs_args = store
    return getattr(terrarium.datasets, name)(filepath=f"{folder}/a/thing", version=version, fs_args=fs_args)


@pytest.mark.parametrize("name", CASES)
def test_round_trip_and_versions(store, name):
    value, check = CASES[name]
    newest = make(name, store, Version(None, None))
    assert not newest.exists()
    for stamp in (FIRST, SECOND):
        make(name, store, Version(None, stamp)).save(value)
    assert newest.exists()
    assert newest.list_versions(full_path=False) == [SECOND, FIRST]
    check(newest.load(), value)
    check(make(name, store, Version(FIRST, None)).load(), value)
    if name not in ("TextDataset", "RunManifestDataset"):
        assert newest.preview()


def test_an_unversioned_file_is_replaced(store):
    for value in (1, 2):
        make("JSONDataset", store, None).save({"a": value})
    assert make("JSONDataset", store, None).load() == {"a": 2}


def test_a_version_is_never_overwritten_but_a_manifest_grows(store):
    make("TextDataset", store, Version(None, FIRST)).save("one")
    with pytest.raises(DatasetError, match="must not exist"):
        make("TextDataset", store, Version(None, FIRST)).save("two")
    assert make("TextDataset", store, Version(None, None)).load() == "one"
    manifest = make("RunManifestDataset", store, Version(None, SECOND))
    for status in ("running", "finished"):
        manifest.save({"status": status})
    assert make("RunManifestDataset", store, Version(None, None)).load() == {"status": "finished"}


def test_a_save_that_fails_uploads_nothing(store, monkeypatch):
    make("JSONDataset", store, Version(None, FIRST)).save({"a": 1})

    def fail(path, *_, **__):
        path.write_bytes(b'{"a":')
        raise OSError("the disk is full")

    monkeypatch.setattr(terrarium.datasets.JSONDataset, "write", lambda self, path, data: fail(path))
    with pytest.raises(DatasetError, match="the disk is full"):
        make("JSONDataset", store, Version(None, SECOND)).save({"a": 2})
    assert make("JSONDataset", store, Version(None, None)).list_versions(full_path=False) == [FIRST]
    assert json.dumps(make("JSONDataset", store, Version(None, None)).load()) == '{"a": 1}'


def test_a_dataset_can_be_sent_to_another_process_and_a_node_run_again(store):
    value, check = CASES["JSONDataset"]
    dataset = make("JSONDataset", store, Version(None, FIRST))
    dataset.save(value)
    sent = pickle.loads(pickle.dumps(dataset))  # noqa: S301 - our own
    check(sent.load(), value)
    discard_saved(sent)
    assert not make("JSONDataset", store, Version(None, FIRST)).exists()
    sent.save(value)
