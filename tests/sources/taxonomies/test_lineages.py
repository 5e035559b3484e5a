import pytest

from terrarium.sources.errors import SourceError
from terrarium.sources.taxonomies.lineages import is_lineage_file, read_lineages

GTDB = (
    "RS_1\td__Bacteria;p__Bacillota;c__Bacilli;o__Bacillales;f__Bacillaceae;g__Bacillus;s__Bacillus subtilis\n"
    "RS_2\td__Bacteria;p__Bacillota;c__Bacilli;o__Bacillales;f__Bacillaceae;g__Bacillus;s__Bacillus subtilis\n"
    "GB_3\td__Bacteria;p__Other;c__;o__;f__;g__;s__\n"
)


def write(tmp_path, text):
    (tmp_path / "t.tsv").write_text(text)
    return tmp_path / "t.tsv"


def test_levels_and_genomes_are_nodes(tmp_path):
    file = write(tmp_path, GTDB)
    assert is_lineage_file(file)
    table = read_lineages(file)
    assert table["name"].tolist()[5:] == ["Bacillus", "Bacillus subtilis", "RS_1", "RS_2", "Other", "GB_3"]
    assert table["key"].tolist()[5:] == ["g__Bacillus", "s__Bacillus subtilis", "RS_1", "RS_2", "p__Other", "GB_3"]
    assert table["rank"].tolist()[:2] == ["domain", "phylum"]
    assert table["parent"].tolist() == [-1, 0, 1, 2, 3, 4, 5, 6, 6, 0, 9]


@pytest.mark.parametrize("text", ["Feature ID\tTaxon\tConfidence\nx\tk__A; p__B\t0.9\n", "k__A;p__B;\n"])
def test_other_ways_of_writing_are_read(tmp_path, text):
    file = write(tmp_path, text)
    assert is_lineage_file(file)
    assert read_lineages(file)["name"].tolist()[:2] == ["A", "B"]


def test_a_name_under_two_parents_is_two_nodes(tmp_path):
    table = read_lineages(write(tmp_path, "k__A;g__B;s__same\nk__A;g__C;s__same\n"))
    assert table["key"].tolist() == ["k__A", "g__B", "k__A;g__B;s__same", "g__C", "k__A;g__C;s__same"]


def test_a_table_is_no_lineage_file(tmp_path):
    assert not is_lineage_file(write(tmp_path, "id\tparent\n1\t\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no taxonomy string"),
        ("k__A;p__B\nk__A;B\n", "line 2: 'B' is no level such as g__Bacillus"),
        ("k__A;p__B\np__B;k__A\n", "line 2: 'k__A' is not below the level before it"),
        ("x\tk__A\nx\tk__A\n", "line 2: 'x' has a line already"),
        ("k__A\nk__\n", "line 2: no level has a name"),
    ],
)
def test_faults_are_named_with_their_line(tmp_path, text, message):
    with pytest.raises(SourceError, match=message):
        read_lineages(write(tmp_path, text))
