import pandas as pd
import pytest

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


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "", "a.csv cannot be read as csv"),
        ("a.parquet", "no parquet", "a.parquet cannot be read as parquet"),
        ("a.txt", "id,parent\n1,1\n", "suffix '.txt'"),
        ("a.csv", "a,b\n1,1\n", r"columns \['a', 'b'\]"),
        ("a.csv", "id,parent\nx,1\n", "'x' in column id"),
        ("a.csv", "id,parent\n1.5,1\n", "'1.5' in column id"),
        ("a.csv", "id,parent\n1,\n3000000000,1\n", "id 3000000000: the largest possible id is 2147483647"),
        ("a.csv", "child,parent\n1,1\n", "node 1 is its own parent"),
        ("a.csv", "id,parent\n,1\n", "empty or negative id in row 1"),
        ("a.csv", "id,parent,length\n1,,\n2,1,0\n", "'0.0' in column length"),
        ("a.csv", "id,parent,length\n1,,\n2,1,long\n", "'long' in column length"),
    ],
)
def test_faults_are_named(tmp_path, name, text, message):
    with pytest.raises(SourceError, match=message):
        read_table(write(tmp_path / name, text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"nowhere.csv is not a file"):
        read_table(tmp_path / "nowhere.csv")
