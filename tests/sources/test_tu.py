import numpy as np
import pytest

from terrarium.sources.errors import SourceError
from terrarium.sources.tu import read_tu, require_folds


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


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        ("graph_indicator", lambda text: text + "7\n", "graph_indicator.txt line 19: graph 7 does not exist"),
        ("graph_indicator", lambda text: text[:-2] + "1\n", "line 18: the node is not in the order of graphs"),
        ("graph_indicator", lambda text: text.replace("3", "2"), "has no node of graph 3, which has a class"),
        ("graph_indicator", lambda text: text.replace("1", "0"), "line 1: graph 0 does not exist, there are 1 to 6"),
        ("A", lambda text: text + "1, 4\n", "A.txt line 31: the edge 1, 4 leads from one graph to another"),
        ("A", lambda text: text + "0, 1\n", "line 31: the edge 0, 1 has no such node, there are 1 to 18"),
        ("A", lambda text: text + "1, 99\n", "line 31: the edge 1, 99 has no such node"),
        ("A", lambda text: text.replace("1, 2", "1 2"), "line 1: '1 2' is not an integer"),
        ("A", lambda text: text.replace("1, 2", "1, 2, 3"), "A.txt line 2: 2 values, and line 1 has 3"),
        ("A", lambda text: "\n" + text, "line 1: '' is not an integer"),
        ("graph_labels", lambda text: text.replace("-1", "0.5"), "line 1: '0.5' is not an integer"),
        ("node_labels", lambda text: text + "1\n", "has 19 lines for 18 nodes"),
        ("node_labels", lambda text: text.replace("1", "99999"), "line 2: the label is 99,999 above the smallest"),
    ],
)
def test_faults_are_named_with_their_line(folder, part, change, message):
    file = folder / "TOY" / "raw" / f"TOY_{part}.txt"
    file.write_text(change(file.read_text()))
    with pytest.raises(SourceError, match=message):
        read_tu(folder, "TOY")


def test_blank_lines_at_the_end_and_whole_floats_are_read(folder):
    expected = read_tu(folder, "TOY")
    raw = folder / "TOY" / "raw"
    for file in raw.iterdir():
        file.write_text(file.read_text() + "\n\n")
    (raw / "TOY_graph_labels.txt").write_text("-1.0\n1.0\n" * 3)
    assert np.array_equal(read_tu(folder, "TOY").label, expected.label)


def test_repeated_edges_are_one_and_loops_none(folder):
    expected = read_tu(folder, "TOY")
    file = folder / "TOY" / "raw" / "TOY_A.txt"
    file.write_text(file.read_text() + "1, 2\n1, 1\n")
    assert np.array_equal(read_tu(folder, "TOY").edge, expected.edge)


def test_folds_need_two_classes_of_enough_graphs(folder):
    require_folds(read_tu(folder, "TOY"), 3, "TOY")
    with pytest.raises(SourceError, match=r"a class of 3 graphs, fewer than the 4 folds: set scenes.tu.n_splits to 3"):
        require_folds(read_tu(folder, "TOY"), 4, "TOY")
    (folder / "TOY" / "raw" / "TOY_graph_labels.txt").write_text("1\n" * 6)
    with pytest.raises(SourceError, match="TOY has one class"):
        require_folds(read_tu(folder, "TOY"), 3, "TOY")
