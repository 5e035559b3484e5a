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


def stanzas(*terms):
    return "format-version: 1.2\n\n" + "\n\n".join(f"[Term]\n{term}" for term in terms) + "\n"


def test_only_terms_are_nodes(tmp_path):
    """Ends of relationships, instances and data types are none."""
    more = "\n[Typedef]\nid: part_of\nname: part of\n\n[Instance]\nid: I:1\ninstance_of: GO:0000001\n"
    text = GO.replace("part_of GO:0000005 ! part", "part_of UBERON:1\nproperty_value: x 1 xsd:string") + more
    assert set(read_obo(write(tmp_path, text))["key"]) == {"GO:0000001", "GO:0000005", "GO:0000007"}


def test_missing_and_obsolete_parents_are_named(tmp_path, caplog):
    text = stanzas(
        "id: A:1", "id: A:2\nis_obsolete: true", "id: A:3\nis_a: A:2\nis_a: A:1", "id: A:4\nis_a: B:9 ! gone"
    )
    table = read_obo(write(tmp_path, text))
    assert list(zip(table["key"], table["parent"], strict=True)) == [("A:1", -1), ("A:3", 1), ("A:4", -1)]
    assert "A:3 is_a A:2 (obsolete, line 12), A:4 is_a B:9 (without a stanza, line 17)" in caplog.text


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("name: a \\{b\\} \\! c \\: d", "a {b} ! c : d"),
        ("name: plain ! a comment", "plain"),
        ('name: 5\'-x "quoted" {source="x"}', '5\'-x "quoted"'),
        ("name: two\\nlines", "two lines"),
        ("name: goes on \\\nhere", "goes on  here"),
        ("name: a tab\tand\\tits escape", "a tab and its escape"),
    ],
)
def test_comments_modifiers_and_escapes(tmp_path, line, name):
    text = stanzas(f"id: MS:1\n{line}", "id: MS:2\nis_a: MS:1! no blank", "id: MS:3\nis_a: MS:1 {x=y} ! root")
    table = read_obo(write(tmp_path, text))
    assert table["name"].iloc[0] == name
    assert table["parent"].tolist() == [-1, 1, 1]


def test_keys_that_differ_in_zeros_stay_apart(tmp_path):
    table = read_obo(write(tmp_path, stanzas("id: GO:1", "id: GO:01\nis_a: GO:1")))
    assert table["id"].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"no \[Term\] stanza"),
        ("format-version: 1.2\n", r"no \[Term\] stanza"),
        (stanzas("name: x"), r"line 3: this \[Term\] has no id"),
        (stanzas("id: A:1", "id: A:1"), "line 6: A:1 has a stanza in line 3 already"),
        (stanzas("id: A:1\nid: A:2"), "line 5: a second id, after A:1"),
        (stanzas("id: A:1\nnonsense"), "line 5: 'nonsense' is not a tag, a colon and a value"),
        (stanzas("id: A:1\nis_a: A:1"), "line 5: A:1 is its own parent"),
        (stanzas("id: A:1\nis_a: two words"), "line 5: is_a is 'two words'"),
        (stanzas("id: A:1\nis_obsolete: perhaps"), "line 5: is_obsolete is 'perhaps'"),
    ],
)
def test_faults_are_named_with_their_line(tmp_path, text, message):
    with pytest.raises(SourceError, match=message):
        read_obo(write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"nothing\.obo is not a file"):
        read_obo(tmp_path / "nothing.obo")
