import hashlib
import tarfile
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from terrarium.sources.errors import SourceError
from terrarium.sources.taxonomies import taxdump
from terrarium.sources.taxonomies.taxdump import merged_ids, read_taxdump

NODES = [(1, 1, "no rank"), (2, 1, "superkingdom"), (9604, 2, "family"), (9606, 9604, "species")]
NAMES = [
    (1, "root", "", "scientific name"),
    (2, 'Bacteria "x"', "Bacteria <bacteria>", "scientific name"),
    (9604, "great apes", "", "common name"),
    (9604, "Hominidae", "", "scientific name"),
    (9606, "Homo sapiens", "", "scientific name"),
]


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "dump"
    place.mkdir()
    lines = {
        "nodes.dmp": [(*row, "XX", "0", "1") for row in NODES],
        "names.dmp": NAMES,
        "merged.dmp": [(12, 9606), (13, 2)],
    }
    for name, rows in lines.items():
        (place / name).write_text("".join("\t|\t".join(map(str, row)) + "\t|\n" for row in rows))
    return place


def archive(folder, name):
    file = folder.parent / name
    if name.endswith(".zip"):
        with zipfile.ZipFile(file, "w") as out:
            for part in folder.iterdir():
                out.write(part, part.name)
    else:
        with tarfile.open(file, "w:gz") as out:
            for part in folder.iterdir():
                out.add(part, part.name)
    return file


def check(table):
    assert table["id"].tolist() == [1, 2, 9604, 9606]
    assert table["parent"].tolist() == [-1, 1, 2, 9604]
    assert table["name"].tolist() == ["root", 'Bacteria "x"', "Hominidae", "Homo sapiens"]
    assert table["rank"].tolist() == ["no rank", "superkingdom", "family", "species"]


def test_a_folder(folder, tmp_path):
    check(read_taxdump(folder, tmp_path))
    assert merged_ids(folder, tmp_path) == {12: 9606, 13: 2}


@pytest.mark.parametrize("name", ["taxdump.tar.gz", "taxdump.zip"])
def test_an_archive_and_its_address(folder, tmp_path, name):
    file = archive(folder, name)
    check(read_taxdump(file, tmp_path / "cache"))
    check(read_taxdump(file.as_uri(), tmp_path / "cache"))
    assert [part.name for part in (tmp_path / "cache").iterdir()] == [name]


@pytest.fixture
def server(folder, monkeypatch):
    monkeypatch.setattr(taxdump.time, "sleep", lambda _: None)
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder.parent))) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_address[1]}", asked
        http.shutdown()


def test_a_download_is_checked_and_not_repeated(folder, server, tmp_path):
    address, asked = server
    file = archive(folder, "taxdump.tar.gz")
    digest = hashlib.md5(file.read_bytes()).hexdigest()
    (folder.parent / "taxdump.tar.gz.md5").write_text(f"{digest}  taxdump.tar.gz\n")
    for _ in range(2):
        check(read_taxdump(f"{address}/taxdump.tar.gz", tmp_path / "cache"))
    assert asked.count("/taxdump.tar.gz") == 1


def test_a_wrong_checksum_is_refused_after_three_tries(folder, server, tmp_path):
    address, asked = server
    archive(folder, "taxdump.tar.gz")
    (folder.parent / "taxdump.tar.gz.md5").write_text("0" * 32 + "  taxdump.tar.gz\n")
    with pytest.raises(SourceError, match="checksum differs"):
        read_taxdump(f"{address}/taxdump.tar.gz", tmp_path / "cache")
    assert asked.count("/taxdump.tar.gz") == 3
    assert not list((tmp_path / "cache").iterdir())


def test_what_is_not_there_is_named(server, tmp_path):
    address, _ = server
    with pytest.raises(SourceError, match="does not exist"):
        read_taxdump(f"{address}/nothing.tar.gz", tmp_path / "cache")


def test_without_a_connection_the_way_out_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(taxdump.time, "sleep", lambda _: None)
    with pytest.raises(SourceError, match=r"set source\.path to the file"):
        read_taxdump("http://127.0.0.1:9/taxdump.tar.gz", tmp_path)


def test_broken_dumps_are_named(folder, tmp_path):
    (folder / "names.dmp").unlink()
    with pytest.raises(SourceError, match=r"has no names\.dmp"):
        read_taxdump(folder, tmp_path)
    (tmp_path / "x.tar.gz").write_bytes(b"not an archive")
    with pytest.raises(SourceError, match="is broken"):
        read_taxdump(tmp_path / "x.tar.gz", tmp_path)
