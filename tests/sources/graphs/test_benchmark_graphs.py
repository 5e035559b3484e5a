import pickle

import pytest

from terrarium.sources.errors import SourceError
from terrarium.sources.graphs import benchmark_graphs
from terrarium.sources.graphs.benchmark_graphs import read_benchmark_graph


@pytest.fixture
def asked(monkeypatch):
    """Addresses that were asked for, each answered with two triples."""
    found = []

    def download(url, folder):
        found.append(url)
        folder.mkdir(parents=True, exist_ok=True)
        name = url.rpartition("/")[2]
        (folder / name).write_text(f"a\tr\tb\na\tr\t{name}\n")

    monkeypatch.setattr(benchmark_graphs, "download", download)
    return found


def test_raw_files_that_are_there_are_read_without_a_download(tmp_path, asked):
    for _ in range(2):
        assert len(read_benchmark_graph("WordNet18RR", tmp_path).triples) == 6
    assert len(asked) == 3


def test_files_of_one_graph_are_not_taken_for_another(tmp_path, asked):
    read_benchmark_graph("WordNet18RR", tmp_path)
    read_benchmark_graph("FB15k_237", tmp_path)
    assert [url.split("/")[-2] for url in asked[::3]] == ["original", "FB15k-237"]


class Planted:
    """Fails the test when it is unpickled."""

    def __reduce__(self):
        return pytest.fail, ("a pickle was loaded",)


def test_nothing_next_to_the_files_is_unpickled(tmp_path, asked):
    processed = tmp_path / "WordNet18RR" / "processed"
    processed.mkdir(parents=True)
    for name in ("pre_transform.pt", "pre_filter.pt", "data.pt"):
        (processed / name).write_bytes(pickle.dumps(Planted()))
    read_benchmark_graph("WordNet18RR", tmp_path)


@pytest.mark.parametrize("name", ["WordNet18RR", "FB15k_237"])
def test_without_a_network_the_error_says_where_the_files_go(tmp_path, monkeypatch, name):
    def offline(*_):
        raise SourceError("no network")

    monkeypatch.setattr(benchmark_graphs, "download", offline)
    with pytest.raises(SourceError, match=r"no network: put train\.txt, valid\.txt, test\.txt into .*raw"):
        read_benchmark_graph(name, tmp_path)
