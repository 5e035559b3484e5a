import shutil
import subprocess

import pytest

from terrarium.common.checksums import ChecksumError, summary_digest, verify_checksum, write_checksums


def test_a_file_is_itself(tmp_path):
    path = tmp_path / "a  b.txt"
    path.write_text("content")
    verify_checksum(path, write_checksums(path))


def test_no_flipped_bit_is_silent(tmp_path):
    """Neither in the file nor in its recorded SHA-256."""
    path = tmp_path / "a.txt"
    path.write_text("content")
    sums = write_checksums(path)
    for changed, length in ((path, len("content")), (sums, 64)):
        whole = changed.read_bytes()
        for position in range(length * 8):
            content = bytearray(whole)
            content[position // 8] ^= 1 << (position % 8)
            changed.write_bytes(content)
            with pytest.raises(ChecksumError, match="its SHA-256 is not the one in SHA256SUMS"):
                verify_checksum(path, sums)
        changed.write_bytes(whole)


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum")
def test_sha256sum_checks_a_folder(tmp_path):
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    (folder / "a").write_text("a")
    (folder / "inner" / "b").write_text("b")
    sums = write_checksums(folder)
    command = ["sha256sum", "--strict", "-c", sums.name]
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0
    (folder / "inner" / "b").write_text("c")
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode != 0


def test_the_digest_of_one_file_is_its_own(tmp_path):
    path = tmp_path / "a"
    path.write_text("a")
    one = summary_digest(write_checksums(path).read_bytes())
    assert one == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a").write_text("a")
    (folder / "b").write_text("b")
    first = summary_digest(write_checksums(folder).read_bytes())
    (folder / "b").write_text("c")
    assert summary_digest(write_checksums(folder).read_bytes()) != first
