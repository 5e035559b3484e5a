import bz2
import gzip
import lzma
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.sources import files
from terrarium.sources.errors import SourceError
from terrarium.sources.files import decode, is_name, numbered_lines, read_text, suffix_of, text_lines


@pytest.mark.parametrize(
    ("suffix", "pack"), [("", bytes), (".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)]
)
def test_packed_files_are_read_like_others(tmp_path, suffix, pack):
    file = tmp_path / f"a.csv{suffix}"
    file.write_bytes(pack(b"\xef\xbb\xbfone\r\n\ntwo\n\n\n"))
    assert suffix_of(file) == ".csv"
    assert list(text_lines(file)) == [(1, "one"), (2, ""), (3, "two")]
    assert read_text(file) == "one\r\n\ntwo\n\n\n"


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)])
def test_what_cannot_be_unpacked_is_told(tmp_path, suffix, pack):
    file = tmp_path / f"a{suffix}"
    for content in (b"plain text", pack(bytes(range(256)) * 400)[:-20]):
        file.write_bytes(content)
        for read in (read_text, lambda path: list(numbered_lines(path))):
            with pytest.raises(SourceError, match="cannot be unpacked"):
                read(file)


@pytest.mark.parametrize("line", [b"h\xf4t", b"a\0b", b"a\x1bb", b"a\rb", "a\ufffdb".encode()])
def test_a_line_that_is_no_text_has_a_number(tmp_path, line):
    (tmp_path / "a").write_bytes(b"one\ntwo\n" + line + b"\nfour\n")
    assert list(numbered_lines(tmp_path / "a"))[2] == (3, None)
    for read in (read_text, lambda path: list(text_lines(path))):
        with pytest.raises(SourceError, match="a line 3: it is not UTF-8 text; save the file as UTF-8 text"):
            read(tmp_path / "a")


def test_utf_16_is_told_as_such(tmp_path):
    (tmp_path / "a").write_text("id,parent\n", encoding="utf-16")
    with pytest.raises(SourceError, match="a is UTF-16: save it as UTF-8"):
        list(numbered_lines(tmp_path / "a"))


def test_lines_and_files_have_limits(tmp_path, monkeypatch):
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"0" * 1000))
    monkeypatch.setattr(files, "LARGEST_LINE", 100)
    monkeypatch.setattr(files, "LARGEST_TEXT", 100)
    with pytest.raises(SourceError, match="line 1: it is longer than"):
        list(numbered_lines(tmp_path / "a.gz"))
    with pytest.raises(SourceError, match="unpacks to more than"):
        read_text(tmp_path / "a.gz")


@given(st.binary())
def test_any_bytes_are_text_or_one_line(content):
    with suppress(SourceError):
        decode(content, "a").encode()


@pytest.mark.parametrize("name", ["", " a", "a\n", "\ud800", None, 3, "a\tb"])
def test_what_names_nothing(name):
    assert not is_name(name)
    assert is_name("Ünïcode name")
