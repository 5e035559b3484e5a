import pytest

from terrarium.sources.errors import SourceError
from terrarium.sources.taxonomies.obo import read_obo

GO = """format-version: 1.2

[Term]
id: GO:0000001
name: thing
namespace: things

[Term]
id: GO:0000005
name: part
namespace: things
is_a: GO:0000001 ! thing

[Term]
id: GO:0000007
name: piece
namespace: things
is_a: GO:0000005 ! part
is_a: GO:0000001 ! thing
relationship: part_of GO:0000005 ! part

[Term]
id: GO:0000009
name: gone
is_obsolete: true
"""


def write(tmp_path, text):
    file = tmp_path / "t.obo"
    file.write_text(text)
    return file


def test_terms_links_and_keys(tmp_path):
    table = read_obo(write(tmp_path, GO))
    assert list(table[["id", "parent"]].itertuples(index=False, name=None)) == [(1, -1), (5, 1), (7, 5), (7, 1)]
    assert table["key"].tolist() == ["GO:0000001", "GO:0000005", "GO:0000007", "GO:0000007"]
    assert table["name"].tolist() == ["thing", "part", "piece", "piece"]
    assert set(table["rank"]) == {"things"}


def test_mixed_prefixes_get_running_numbers(tmp_path):
    table = read_obo(write(tmp_path, GO.replace("GO:0000007", "BFO:0000007")))
    assert table["id"].max() == 2
    assert table["key"].iloc[-1] == "BFO:0000007"


@pytest.mark.parametrize("text", ["", "format-version: 1.2\n"])
def test_files_without_terms_are_refused(tmp_path, text):
    with pytest.raises(SourceError, match=r"no terms|cannot be read"):
        read_obo(write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"nothing\.obo is not a file"):
        read_obo(tmp_path / "nothing.obo")
