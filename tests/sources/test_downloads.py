import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from terrarium.sources import downloads
from terrarium.sources.downloads import download, is_address
from terrarium.sources.errors import SourceError

CONTENT = b"taxa" * 1000


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A folder with the file `a.zip`, its address, the paths that were asked for, and the answers to give first."""
    monkeypatch.setattr(downloads.time, "sleep", lambda _: None)
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "a.zip").write_bytes(CONTENT)
    asked, answers = [], []

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            if answers and not self.path.endswith(".md5"):
                self.send_error(answers.pop(0))
            else:
                super().do_GET()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{http.server_address[1]}", asked, answers
        http.shutdown()


def test_a_download_is_checked_and_not_repeated(server, tmp_path):
    folder, address, asked, _ = server
    (folder / "a.zip.md5").write_text(f"{hashlib.md5(CONTENT).hexdigest()}  a.zip\n")
    for _ in range(2):
        assert download(f"{address}/a.zip", tmp_path / "cache").read_bytes() == CONTENT
    assert asked.count("/a.zip") == 1


def test_a_wrong_checksum_is_refused_after_three_tries(server, tmp_path):
    folder, address, asked, _ = server
    (folder / "a.zip.md5").write_text("0" * 32 + "  a.zip\n")
    with pytest.raises(SourceError, match="checksum differs"):
        download(f"{address}/a.zip", tmp_path / "cache")
    assert asked.count("/a.zip") == 3
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_server_error_is_tried_again(server, tmp_path, code):
    _, address, asked, answers = server
    answers += [code, code]
    assert download(f"{address}/a.zip", tmp_path / "cache").read_bytes() == CONTENT
    assert asked.count("/a.zip") == 3
    answers += [code] * 3
    with pytest.raises(SourceError, match=f"could not be downloaded .{code} "):
        download(f"{address}/a.zip", tmp_path / "cache")


@pytest.mark.parametrize(("code", "message"), [(404, "does not exist"), (403, "is refused by the server")])
def test_an_answer_that_stays_is_told_at_once(server, tmp_path, code, message):
    _, address, asked, answers = server
    answers.append(code)
    with pytest.raises(SourceError, match=message):
        download(f"{address}/a.zip", tmp_path / "cache")
    assert asked.count("/a.zip") == 1


def test_an_endless_answer_is_cut_off(server, tmp_path, monkeypatch):
    _, address, _, _ = server
    monkeypatch.setattr(downloads, "LARGEST_DOWNLOAD", len(CONTENT) - 1)
    with pytest.raises(SourceError, match="is larger than"):
        download(f"{address}/a.zip", tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_without_a_connection_the_way_out_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(downloads.time, "sleep", lambda _: None)
    with pytest.raises(SourceError, match="get the file another way and give its path"):
        download("http://127.0.0.1:9/a.zip", tmp_path)


@pytest.mark.parametrize("address", ["file:///etc/passwd.zip", "s3://bucket/a.zip", "http://host/"])
def test_only_addresses_of_servers_are_read(tmp_path, address):
    assert is_address(address)
    with pytest.raises(SourceError, match="cannot be downloaded: "):
        download(address, tmp_path)
