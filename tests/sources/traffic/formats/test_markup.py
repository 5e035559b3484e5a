import gzip

import pytest

from terrarium.sources.errors import SourceError
from terrarium.sources.traffic.formats.markup import parse_starts, parse_tree, read_number


def test_elements_come_in_order_with_their_attributes_packed_or_not(tmp_path):
    path = tmp_path / "a.xml.gz"
    path.write_bytes(gzip.compress(b"<a><b c='1'/><b>text</b></a>"))
    found = []
    parse_starts(path, lambda tag, given: found.append((tag, given)))
    assert found == [("a", {}), ("b", {"c": "1"}), ("b", {})]
    assert parse_tree(path).findall("b")[1].text == "text"


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE a SYSTEM 'file:///etc/hosts'><a/>",
        "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
        "<a>" * 200 + "</a>" * 200,
        "",
        "no markup",
        "<a>&#x110000;</a>",
    ],
)
def test_what_is_unsafe_or_broken_is_refused_in_one_line(tmp_path, text):
    path = tmp_path / "a.xml"
    path.write_text(text)
    for parse in (parse_tree, lambda file: parse_starts(file, lambda *_: None)):
        with pytest.raises(SourceError, match=r"^[^\n]*cannot be read as XML[^\n]*$"):
            parse(path)


@pytest.mark.parametrize("text", [None, "", "x", "nan", "inf", "1e300", "1_0"])
def test_a_number_is_finite(tmp_path, text):
    assert read_number("-1.5e1", "x", tmp_path) == -15.0
    with pytest.raises(SourceError, match="not a number"):
        read_number(text, "x", tmp_path)
