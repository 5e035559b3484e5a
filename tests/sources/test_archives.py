import gzip
import tarfile
import zipfile

import pytest

from terrarium.sources import archives
from terrarium.sources.archives import find_member, is_archive, list_members, read_member
from terrarium.sources.errors import SourceError


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "data"
    (place / "deep").mkdir(parents=True)
    (place / "a.txt").write_text("top")
    (place / "deep" / "a.txt").write_text("below")
    (place / "deep" / "b.txt").write_text("b")
    return place


@pytest.fixture(params=["folder", "zip", "tar", "gz", "xz", "bz2"])
def place(folder, tmp_path, request):
    if request.param == "folder":
        return folder
    file = tmp_path / f"data.{'tar.' if request.param in {'gz', 'xz', 'bz2'} else ''}{request.param}"
    if request.param == "zip":
        with zipfile.ZipFile(file, "w") as out:
            for part in folder.rglob("*.txt"):
                out.write(part, part.relative_to(folder))
    else:
        with tarfile.open(file, "w" if request.param == "tar" else f"w:{request.param}") as out:
            out.add(folder, ".")
    return file


def test_the_file_nearest_to_the_top_is_found(place):
    assert read_member(place, find_member(place, "a.txt")) == b"top"
    assert read_member(place, find_member(place, "b.txt")) == b"b"
    assert find_member(place, "c.txt") is None
    assert len(list_members(place)) == 3


def test_two_files_at_one_depth_are_told(folder):
    (folder / "other").mkdir()
    (folder / "other" / "b.txt").write_text("b")
    with pytest.raises(SourceError, match=r"has deep/b.txt and other/b.txt: give the folder of one"):
        find_member(folder, "b.txt")


def test_an_archive_does_not_unpack_to_more_than_the_limit(place, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST_TEXT", 2)
    monkeypatch.setattr("terrarium.sources.files.LARGEST_TEXT", 2)
    with pytest.raises(SourceError, match="unpacks to more than"):
        read_member(place, find_member(place, "a.txt"))


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tar.xz"])
@pytest.mark.parametrize("content", [b"", b"no archive", gzip.compress(b"no tar", mtime=0), b"PK\x03\x04" + bytes(40)])
def test_what_is_no_archive_is_told_in_one_line(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert is_archive(tmp_path / name)
    with pytest.raises(SourceError, match="is broken or no archive") as error:
        list_members(tmp_path / name)
    assert "\n" not in str(error.value)
