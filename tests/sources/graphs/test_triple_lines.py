import pytest

from terrarium.sources.errors import SourceError
from terrarium.sources.graphs.triple_lines import triple_lines


def read(tmp_path, text, **options):
    (tmp_path / "t.txt").write_text(text)
    return list(triple_lines(tmp_path / "t.txt", **options))


@pytest.mark.parametrize(
    "header",
    ["", "head\trelation\ttail\n", "Subject\tPredicate\tObject\n", "h\tr\tt\n", '"head"\t"relation"\t"tail"\n'],
)
def test_a_header_is_left_out_with_a_word(tmp_path, caplog, header):
    text = header + ('"a"\t"r"\t"b"\n' if '"' in header else "a\tr\tb\n")
    assert [line.names for line in read(tmp_path, text)] == [("a", "r", "b")]
    assert ("is a header" in caplog.text) == bool(header)


def test_names_like_those_of_a_header_are_names(tmp_path):
    assert len(read(tmp_path, "head\tpart_of\tbody\n")) == 1


def test_another_order_is_read_by_name(tmp_path):
    assert read(tmp_path, "a\tb\tr\n", order="head_tail_relation")[0].names == ("a", "r", "b")
    with pytest.raises(SourceError, match=r"set source.column_order to head_tail_relation"):
        read(tmp_path, "head\ttail\trelation\na\tb\tr\n")


def test_quotes_that_pandas_writes_are_removed(tmp_path):
    lines = read(tmp_path, '"a ""b"""\t"r"\t"c"\n"a"\tr\t"c"\n')
    assert lines[0].names == ('a "b"', "r", "c")
    assert "has no quotes, unlike the names of line 1" in lines[1].fault
    assert read(tmp_path, 'a\tr\t"c"\n')[0].names == ("a", "r", '"c"')


def test_empty_lines_at_the_end_are_left_out(tmp_path):
    assert len(read(tmp_path, "a\tr\tb\n\n\n")) == 1
    inside = read(tmp_path, "a\tr\tb\n\na\tr\tc\n")[1]
    assert (inside.number, inside.is_empty) == (2, True)


def test_a_table_of_kgx_is_told(tmp_path):
    with pytest.raises(SourceError, match=r"set source.kind to kgx"):
        read(tmp_path, "id\tsubject\tpredicate\tobject\n")


@pytest.mark.parametrize(
    ("line", "fault"),
    [("a,r,b", "triples are separated by tabs"), (" a\tr\tb", "blanks around"), ("a\t\tb", "3 fields instead of")],
)
def test_faults_are_sentences(tmp_path, line, fault):
    assert fault in read(tmp_path, line + "\n")[0].fault
