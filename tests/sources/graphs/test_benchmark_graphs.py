import pytest

from terrarium.sources.errors import SourceError
from terrarium.sources.graphs import benchmark_graphs
from terrarium.sources.graphs.benchmark_graphs import read_benchmark_graph


def test_raw_files_that_are_there_are_read_without_a_download(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark_graphs, "_download", lambda *_: pytest.fail("nothing is to be downloaded"))
    put(tmp_path / "WordNet18RR")
    assert len(read_benchmark_graph("WordNet18RR", tmp_path).triples) == 6


def test_files_of_one_graph_are_not_taken_for_another(tmp_path, monkeypatch):
    put(tmp_path / "WordNet18RR")
    asked = []

    def download(name, folder):
        asked.append((name, folder))
        put(folder)

    monkeypatch.setattr(benchmark_graphs, "_download", download)
    read_benchmark_graph("FB15k_237", tmp_path)
    assert asked == [("FB15k_237", tmp_path / "FB15k_237")]


def put(folder):
    (folder / "raw").mkdir(parents=True)
    for name in ("train", "valid", "test"):
        (folder / "raw" / f"{name}.txt").write_text(f"a\tr\tb\na\tr\t{name}\n")


@pytest.mark.parametrize("name", ["WordNet18RR", "FB15k_237"])
def test_without_a_network_the_error_says_where_the_files_go(tmp_path, monkeypatch, name):
    import torch_geometric.datasets

    def offline(self, *_, **__):
        raise OSError("no network")

    monkeypatch.setattr(getattr(torch_geometric.datasets, name), "download", offline)
    with pytest.raises(SourceError, match=r"cannot be downloaded \(no network\): put train.txt, valid.txt"):
        read_benchmark_graph(name, tmp_path)
