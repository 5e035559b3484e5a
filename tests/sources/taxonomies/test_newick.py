from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.sources.errors import SourceError
from terrarium.sources.taxonomies.newick import SHORTEST, read_newick


def read(tmp_path, text):
    (tmp_path / "t.nwk").write_text(text)
    return read_newick(tmp_path / "t.nwk")


def test_names_and_topology(tmp_path):
    table = read(tmp_path, "(A,B,(C,D)E)F;\n")
    assert table["name"].tolist() == ["F", "A", "B", "E", "C", "D"]
    assert table["parent"].tolist() == [-1, 0, 0, 0, 3, 3]
    assert "length" not in table


def test_lengths_are_those_of_the_branches_to_the_parents(tmp_path):
    table = read(tmp_path, "(A:0.1,\n B:2e-1,(C:.3,D:4):5)\n:9;")
    assert table["length"].tolist()[1:] == [0.1, 0.2, 5.0, 0.3, 4.0]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("('a b',b_c)'it''s';", ["it's", "a b", "b_c"]),
        ("(A[a comment, (with marks)],B)C;", ["C", "A", "B"]),
        ("(A:1[&&NHX:S=human],:2[&&NHX:D=N:S=mouse])[&&NHX:ND=top];", ["top", "A", "mouse"]),
        ("((A,B)95,C)100;", [None, None, "A", "B", "C"]),
        ("((A,B)'100.0:p__Bacillota',C);", [None, "p__Bacillota", "A", "B", "C"]),
        ("(Homo sapiens,Pan paniscus);", [None, "Homo sapiens", "Pan paniscus"]),
        ("(,);", [None, None, None]),
    ],
)
def test_labels(tmp_path, text, names):
    assert [None if pd.isna(name) else name for name in read(tmp_path, text)["name"]] == names


def test_branches_of_length_0_get_a_short_one_with_a_word(tmp_path, caplog):
    table = read(tmp_path, "((A:0,B:1):1,C:-0.1);")
    assert table["length"].tolist()[1:] == [1.0, 2 * SHORTEST, 1.0, 2 * SHORTEST]
    assert "2 branches of length 0 or less" in caplog.text


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
def test_any_tree_is_read_back(choices):
    parent = [-1, *(choice % (node + 1) for node, choice in enumerate(choices))]
    children = {node: [c for c, up in enumerate(parent) if up == node] for node in range(len(parent))}

    def text(node):
        inner = ",".join(map(text, children[node]))
        return (f"({inner})" if inner else "") + f"n{node}:{node + 1}"

    with TemporaryDirectory() as folder:
        table = read(Path(folder), text(0) + ";")
    name_of = table.set_index("id")["name"]
    found = dict(zip(table["name"], table["parent"].map(name_of), strict=True))
    assert all(found[f"n{node}"] == f"n{up}" for node, up in enumerate(parent) if up >= 0)
    lengths = table.set_index("name")["length"]
    assert all(lengths[f"n{node}"] == node + 1 for node in range(1, len(parent)))


def test_a_deep_tree_needs_no_recursion(tmp_path):
    depth = 20_000
    table = read(tmp_path, "(" * depth + "A" + ")" * depth + ";")
    assert np.array_equal(table["parent"], np.arange(depth + 1) - 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no ; at the end"),
        ("((A,B)", "has no ; at the end"),
        ("(A,B));", r"line 1: '\)' in the wrong place"),
        ("(A,\n(B,C);", "line 2: the tree ends here, but is not complete"),
        ("(A,B);\n(C,D);", "line 2: a second tree begins"),
        ("A;", "is not complete"),
        ("(A:x,B:1);", "line 1: 'x' is not a branch length"),
        ("(A:1e999,B:1);", "'1e999' is not a branch length"),
        ("(A:1,\nB);", "line 1: the branch after this place has no length"),
        ("('A,B);", 'line 1: "\'" is not closed'),
        ("(A[,B);", r"'\[' is not closed"),
        ("(A(B,C));", r"'\(' in the wrong place"),
        ("(A,,B);", "the leaf after this place has no name"),
        ("(A:0,B:0);", "no branch with a usable length"),
        ("#NEXUS\nbegin trees;", "is NEXUS: export its tree as Newick"),
    ],
)
def test_faults_are_named_with_their_line(tmp_path, text, message):
    with pytest.raises(SourceError, match=message):
        read(tmp_path, text)
