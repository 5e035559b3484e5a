import gzip

import pytest

from terrarium.sources.errors import SourceError
from terrarium.sources.graphs.triples import read_dictionary, read_triple_files

FILES = {"train": "train.txt", "valid": "valid.txt", "test": "test.txt"}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train.txt").write_text("a\tr\tb\nb\ts\tc\n")
    (tmp_path / "valid.txt").write_text("a\tr\tc\n")
    (tmp_path / "test.txt").write_text("c\ts\td\n")
    (tmp_path / "entities.txt").write_text("d\t0\nc\t1\nb\t2\na\t3\n")
    (tmp_path / "relations.txt").write_text("s\t0\nr\t1\n")
    return tmp_path


def test_names_are_numbered_as_they_appear_and_splits_are_kept(folder):
    graph = read_triple_files(folder, **FILES)
    assert graph.entities["entity"].tolist() == ["a", "b", "c", "d"]
    assert graph.triples["split"].tolist() == ["train", "train", "validation", "test"]
    assert graph.triples.astype(str).iloc[3].tolist() == ["c", "s", "d", "test"]
    assert graph.relations["is_target"].all()


def test_a_dictionary_fixes_the_numbers(folder):
    graph = read_triple_files(folder, **FILES, dictionaries=("entities.txt", "relations.txt"))
    assert graph.entities["entity"].tolist() == ["d", "c", "b", "a"]
    assert graph.relations["relation"].tolist() == ["s", "r"]
    assert graph.triples["head"].tolist() == ["a", "b", "a", "c"]


def test_one_file_is_undivided_and_gz_is_unpacked(folder):
    with gzip.open(folder / "all.tsv.gz", "wt") as file:
        file.write("a\tr\tb\r\n")
    graph = read_triple_files(folder, train="all.tsv.gz")
    assert graph.triples.astype(str).to_numpy().tolist() == [["a", "r", "b", "undivided"]]


@pytest.mark.parametrize("line", ["a\tr", "a r b", "", "a\t\tb", "a\tr\tb\tc", " a\tr\tb", "a\tr\tb ", "\ud8ff\tr\tb"])
def test_a_malformed_line_is_named_or_counted(folder, line):
    text = f"a\tr\tb\nb\ts\tc\n{line}\nc\tr\ta\n"
    (folder / "train.txt").write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(SourceError, match=r"train\.txt line 3: .*(fields|blanks around|not UTF-8)"):
        read_triple_files(folder, **FILES)
    graph = read_triple_files(folder, **FILES, on_error="skip")
    assert graph.counts == {"lines": 6, "malformed_lines": 1}
    assert len(graph.triples) == 5


def test_an_unknown_relation_of_valid_or_test_is_named_or_counted(folder):
    (folder / "test.txt").write_text("a\tnew\tb\nc\ts\td\n")
    with pytest.raises(SourceError, match=r"test\.txt line 1: relation 'new'"):
        read_triple_files(folder, **FILES)
    assert read_triple_files(folder, **FILES, on_error="skip").counts["unknown_relations"] == 1


def test_a_dictionary_does_not_stand_in_for_training_triples(folder):
    (folder / "relations.txt").write_text("s\t0\nr\t1\nnew\t2\n")
    (folder / "test.txt").write_text("a\tnew\tb\nc\ts\td\n")
    named = {"dictionaries": (None, "relations.txt")}
    with pytest.raises(SourceError, match=r"test\.txt line 1: relation 'new' is in no training triple"):
        read_triple_files(folder, **FILES, **named)
    assert read_triple_files(folder, **FILES, **named, on_error="skip").counts["unknown_relations"] == 1
    (folder / "train.txt").write_text("a\tother\tb\n")
    with pytest.raises(SourceError, match=r"train\.txt line 1: relation 'other' is not in the dictionary"):
        read_triple_files(folder, **FILES, **named)


def test_a_byte_order_mark_is_no_part_of_a_name(folder):
    (folder / "train.txt").write_text("a\tr\tb\nb\ts\tc\n", encoding="utf-8-sig")
    assert read_triple_files(folder, **FILES).entities["entity"].tolist() == ["a", "b", "c", "d"]


def test_what_is_no_gz_is_named_with_its_line(folder):
    (folder / "plain.gz").write_text("a\tr\tb\n")
    with pytest.raises(SourceError, match=r"plain\.gz cannot be unpacked after line 0"):
        read_triple_files(folder, train="plain.gz")
    whole = gzip.compress(b"".join(b"a%d\tr\tb\n" % i for i in range(100)))
    (folder / "cut.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match=r"cut\.gz cannot be unpacked after line"):
        read_triple_files(folder, train="cut.gz", on_error="skip")


def test_a_name_that_a_dictionary_lacks_is_named_or_counted(folder):
    (folder / "test.txt").write_text("c\ts\tnobody\nc\ts\td\n")
    names = {"dictionaries": ("entities.txt", None)}
    with pytest.raises(SourceError, match="entity 'nobody' is not in the dictionary"):
        read_triple_files(folder, **FILES, **names)
    assert read_triple_files(folder, **FILES, **names, on_error="skip").counts["unknown_entities"] == 1


def test_missing_and_empty_files_are_refused(folder):
    with pytest.raises(SourceError, match="is not a file"):
        read_triple_files(folder, train="none.txt")
    (folder / "valid.txt").write_text("")
    with pytest.raises(SourceError, match=r"valid\.txt has no triple"):
        read_triple_files(folder, **FILES)
    with pytest.raises(SourceError, match="belong together"):
        read_triple_files(folder, train="train.txt", valid="valid.txt")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\t0\nb\t2\n", "lacks 1"),
        ("a\t0\nb\t0\n", "repeats index 0"),
        ("a\t0\na\t1\n", "names 'a' twice"),
        ("a 0\n", "is not a name, a tab and an index"),
        ("a\t\u00b2\n", "is not a name, a tab and an index"),
        (" a\t0\n", "is not a name, a tab and an index"),
    ],
)
def test_a_dictionary_with_gaps_or_duplicates_is_refused(tmp_path, text, message):
    (tmp_path / "names.txt").write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=message):
        read_dictionary(tmp_path / "names.txt")


def test_columns_in_another_order_are_read_by_name_and_told(folder, caplog):
    for file in FILES.values():
        (folder / file).write_text("a\tb\tr\nb\tc\tr\nc\td\ts\nd\ta\ts\n")
    graph = read_triple_files(folder, **FILES, column_order="head_tail_relation")
    assert set(graph.relations["relation"]) == {"r", "s"}
    assert "column_order" not in caplog.text
    read_triple_files(folder, **FILES)
    assert "set source.column_order to head_tail_relation" in caplog.text


def test_test_triples_that_are_trained_on_are_counted_or_dropped(folder, caplog):
    (folder / "test.txt").write_text("a\tr\tb\nc\ts\td\n")
    assert len(read_triple_files(folder, **FILES).triples) == 5
    assert "1 of 2 test triples are in an earlier split" in caplog.text
    dropped = read_triple_files(folder, **FILES, drop_repeated=True).triples
    assert dropped["split"].tolist() == ["train", "train", "validation", "test"]
    (folder / "test.txt").write_text("a\tr\tb\n")
    with pytest.raises(SourceError, match="all test triples are in an earlier split"):
        read_triple_files(folder, **FILES, drop_repeated=True)
