import numpy as np
import pytest

from terrarium.sources.errors import SourceError
from terrarium.sources.tu import read_tu


@pytest.fixture
def folder(tmp_path):
    """Six graphs in the text files of TU Dortmund: triangles and paths, with labels of nodes and edges."""
    raw = tmp_path / "TOY" / "raw"
    raw.mkdir(parents=True)
    edges, owner, labels = [], [], []
    for graph in range(6):
        start = 3 * graph
        pairs = [(1, 2), (2, 3), (1, 3)] if graph % 2 else [(1, 2), (2, 3)]
        edges += [(start + a, start + b) for one, two in pairs for a, b in ((one, two), (two, one))]
        owner += [graph + 1] * 3
        labels += [0, 1, 0]
    (raw / "TOY_A.txt").write_text("\n".join(f"{a}, {b}" for a, b in edges) + "\n")
    (raw / "TOY_graph_indicator.txt").write_text("\n".join(map(str, owner)) + "\n")
    (raw / "TOY_node_labels.txt").write_text("\n".join(map(str, labels)) + "\n")
    (raw / "TOY_graph_labels.txt").write_text("\n".join(str(1 if g % 2 else -1) for g in range(6)) + "\n")
    return tmp_path


def test_graphs_are_read_with_their_labels(folder):
    graphs = read_tu(folder, "TOY")
    assert graphs.label.tolist() == [0, 1, 0, 1, 0, 1]
    assert np.diff(graphs.node_offset).tolist() == [3] * 6
    assert np.diff(graphs.edge_offset).tolist() == [4, 6] * 3
    assert graphs.edge.max() == 2
    assert graphs.x[:3].tolist() == [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]
    assert graphs.edge_x.shape == (30, 1)


def test_a_set_that_is_not_there_is_told(folder):
    with pytest.raises(SourceError, match=r"has no MUTAG_A.txt"):
        read_tu(folder, "MUTAG")


def test_nodes_without_labels_are_told_by_their_degree(folder):
    """As in IMDB-BINARY, COLLAB and REDDIT-BINARY; a node and a last graph without edges count too."""
    raw = folder / "TOY" / "raw"
    (raw / "TOY_node_labels.txt").unlink()
    with (raw / "TOY_graph_indicator.txt").open("a") as file:
        file.write("6\n7\n7\n")
    with (raw / "TOY_graph_labels.txt").open("a") as file:
        file.write("1\n")
    graphs = read_tu(folder, "TOY")
    assert np.diff(graphs.node_offset).tolist() == [3, 3, 3, 3, 3, 4, 2]
    assert np.diff(graphs.edge_offset).tolist() == [4, 6, 4, 6, 4, 6, 0]
    assert graphs.x.shape == (21, 3)
    assert graphs.x.argmax(axis=1).tolist() == [1, 2, 1, 2, 2, 2] * 3 + [0, 0, 0]


def test_degrees_are_capped(folder, monkeypatch):
    monkeypatch.setattr("terrarium.sources.tu.LARGEST_DEGREE", 1)
    (folder / "TOY" / "raw" / "TOY_node_labels.txt").unlink()
    assert read_tu(folder, "TOY").x.tolist() == [[0.0, 1.0]] * 18


def test_nodes_out_of_order_and_classes_that_are_missing_are_told(folder):
    raw = folder / "TOY" / "raw"
    owner = (raw / "TOY_graph_indicator.txt").read_text()
    (raw / "TOY_graph_indicator.txt").write_text(owner + "7\n")
    with pytest.raises(SourceError, match="7 graphs with nodes and 6 with a class"):
        read_tu(folder, "TOY")
    (raw / "TOY_graph_indicator.txt").write_text(owner[:-2] + "1\n")
    with pytest.raises(SourceError, match="not in the order of graphs"):
        read_tu(folder, "TOY")
