from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.sources.errors import SourceError
from terrarium.sources.taxonomies.table import read_table


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_of_nodes(tmp_path):
    table = read_table(write(tmp_path / "a.csv", "id,parent,name,rank\n1,,root,\n2,1,cat,species\n3,1,dog,x\n"))
    assert table["parent"].tolist() == [-1, 1, 1]
    assert table["name"].tolist() == ["root", "cat", "dog"]
    assert table["rank"].astype(str).tolist() == ["no rank", "species", "x"]


def test_a_root_may_name_itself(tmp_path):
    assert read_table(write(tmp_path / "a.csv", "id,parent\n1,1\n2,1\n"))["parent"].tolist() == [-1, 1]


def test_a_table_of_edges_gets_its_root(tmp_path):
    table = read_table(write(tmp_path / "a.tsv", "child\tparent\n2\t1\n3\t2\n"))
    assert sorted(zip(table["id"], table["parent"], strict=True)) == [(1, -1), (2, 1), (3, 2)]


def test_lengths_of_links_are_kept(tmp_path):
    table = read_table(write(tmp_path / "a.csv", "id,parent,length\n1,,\n2,1,0.5\n3,1,2\n"))
    assert table["length"].tolist()[1:] == [0.5, 2.0]
    edges = read_table(write(tmp_path / "b.csv", "child,parent,length\n2,1,0.5\n"))
    assert edges.set_index("id")["length"].loc[2] == 0.5


def test_parquet_is_csv(tmp_path):
    frame = pd.DataFrame({"child": [2, 3], "parent": [1, 1]})
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_csv(tmp_path / "a.csv", index=False)
    pd.testing.assert_frame_equal(read_table(tmp_path / "a.parquet"), read_table(tmp_path / "a.csv"))


@pytest.mark.parametrize("packing", ["", ".gz", ".xz", ".bz2"])
def test_integers_that_pandas_turned_into_floats_are_integers(tmp_path, packing):
    frame = pd.DataFrame({"id": [1, 2, 3], "parent": [None, 1, 2]})
    frame.to_csv(tmp_path / f"a.csv{packing}", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    assert read_table(tmp_path / f"a.csv{packing}")["parent"].tolist() == [-1, 1, 2]
    assert read_table(tmp_path / "a.parquet")["parent"].tolist() == [-1, 1, 2]


@given(
    st.lists(st.sampled_from(["0111", "01.10", "NA", "None", "1990", "null", "nan", "1e3", "True", "0"]), min_size=1)
)
def test_names_and_ranks_are_text_and_only_an_empty_cell_is_missing(names):
    rows = [f"{row},{0 if row else ''},{name},{name}" for row, name in enumerate([*names, ""])]
    with TemporaryDirectory() as folder:
        table = read_table(write(Path(folder) / "a.csv", "id,parent,name,rank\n" + "\n".join(rows)))
    assert table["name"].tolist()[:-1] == names
    assert table["rank"].astype(str).tolist() == [*names, "no rank"]
    assert pd.isna(table["name"].iloc[-1])


@pytest.mark.parametrize("ids", ["dog cat animal", "GO:1 GO:01 GO:001", "1.1 1.10 1", "007 07 7", "1 2 4294967299"])
def test_ids_that_are_no_small_integers_are_numbered_and_kept_as_keys(tmp_path, ids):
    a, b, root = ids.split()
    table = read_table(write(tmp_path / "a.csv", f"id,parent\n{a},{root}\n{b},{a}\n{root},\n"))
    assert table["key"].tolist() == [a, b, root]
    key_of = table.set_index("id")["key"]
    assert [key_of.get(parent) for parent in table["parent"]] == [root, a, None]
    assert key_of.index.is_unique
    assert table["name"].tolist() == [a, b, root]


@pytest.mark.parametrize(
    "text",
    [
        "child,parent\n1,\n2,1\n3,1\n",
        "child,parent\n1,-1\n2,1\n3,1\n",
        "child,parent\n1,1\n2,1\n3,1\n",
        "id,parent\n1,0\n2,1\n3,1\n",
        "id,parent\n1,-1\n2,1\n3,1\n",
        "id;parent\n1;\n2;1\n3;1\n",
        "\ufeffID, Parent\r\n1,\r\n2, 1\r\n3, 1\r\n\r\n",
        "id,parent_id\n1,\n2,1\n3,1\n",
    ],
)
def test_a_root_may_be_written_in_many_ways(tmp_path, text):
    table = read_table(write(tmp_path / "a.csv", text))
    assert sorted(zip(table["id"], table["parent"], strict=True)) == [(1, -1), (2, 1), (3, 1)]


def test_zero_is_a_parent_where_it_is_a_node(tmp_path):
    table = read_table(write(tmp_path / "a.csv", "id,parent\n0,\n1,0\n2,0\n"))
    assert table["parent"].tolist() == [-1, 0, 0]


def test_a_closure_is_reduced_with_a_word(tmp_path, caplog):
    """As the published files for Poincaré embeddings: id1 is below id2, and weights are 1."""
    pairs = "dog,mammal\ncat,mammal\ndog,animal\ncat,animal\nmammal,animal\nanimal,animal\n"
    text = "id1,id2,weight\n" + pairs.replace("\n", ",1\n")
    table = read_table(write(tmp_path / "a.csv", text))
    key_of = table.set_index("id")["key"].to_dict()
    links = {(key, key_of.get(parent)) for key, parent in zip(table["key"], table["parent"], strict=True)}
    assert links == {("animal", None), ("mammal", "animal"), ("dog", "mammal"), ("cat", "mammal")}
    assert "is a transitive closure: of 5 pairs, 3 are links" in caplog.text


def test_weights_that_differ_are_told_to_be_left_out(tmp_path, caplog):
    read_table(write(tmp_path / "a.csv", "child,parent,weight\n2,1,0.5\n3,1,0.7\n"))
    assert "column weight is not read" in caplog.text


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "", "a.csv is empty"),
        ("a.csv", "id,parent\n", "a.csv has no rows"),
        ("a.parquet", "no parquet", "a.parquet cannot be read as Parquet"),
        ("a.txt", "id,parent\n1,1\n", "suffix '.txt'"),
        ("a.csv", "a,b\n1,1\n", r"columns \['a', 'b'\]"),
        ("a.csv", "id,child,parent\n1,2,1\n", "has both id and child"),
        ("a.csv", "id,parent,parent\n1,2,1\n", "two columns are called 'parent'"),
        ("a.csv", "id,parent\n1,\nx,7\n", "a.csv line 3: the parent '7' is not among the ids"),
        ("a.csv", "id,parent\n1,\n2,1,cat\n", "a.csv line 3: 3 values and the header has 2 columns"),
        ("a.csv", "id,parent,name\n1,,root\n2,1\n", "a.csv line 3: 2 values and the header has 3 columns"),
        ("a.csv", 'id,parent,name\n1,,"root\n2,1,x\n', "a.csv line .: it is not CSV"),
        ("a.csv", "id,parent\n,1\n", "line 2: the id is empty"),
        ("a.csv", "id,parent,name\n1,,a\n2,1,b\n2,1,c\n", "line 4: '2' has the name 'c', before 'b'"),
        ("a.csv", "id,parent,length\n1,,\n2,1,0\n", "line 3: '0' in column length is not above 0"),
        ("a.csv", "id,parent,length\n1,,\n2,1,\n", "line 3: '' in column length"),
        ("a.csv", "id,parent,length\n1,,\n2,1,long\n", "line 3: 'long' in column length is not a finite number"),
        ("a.csv", "id,parent,length\n1,,\n2,1,1e999\n", "line 3: '1e999' in column length is not a finite number"),
        ("a.csv", "id,parent,length\n1,,\n2,1,True\n", "line 3: 'True' in column length is not a finite number"),
    ],
)
def test_faults_are_named(tmp_path, name, text, message):
    with pytest.raises(SourceError, match=message):
        read_table(write(tmp_path / name, text))


def test_a_column_of_lists_is_no_id(tmp_path):
    pd.DataFrame({"id": [[1], [2]], "parent": [1, 2]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(SourceError, match="column id has neither text nor numbers"):
        read_table(tmp_path / "a.parquet")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"nowhere.csv is not a file"):
        read_table(tmp_path / "nowhere.csv")
