"""SHA-256 of the files of a version, in the format of the program `sha256sum`.

Each version folder has a file `SHA256SUMS`; `sha256sum -c SHA256SUMS` in that folder checks the version by hand.
"""

from hashlib import file_digest, sha256
from pathlib import Path

NAME = "SHA256SUMS"


class ChecksumError(ValueError):
    """A file is not the one that was saved."""


def write_checksums(path: Path) -> Path:
    """Write `SHA256SUMS` next to a file or folder, for it or for all files in it; return where."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    lines = [f"{_digest(file)}  {file.relative_to(path.parent).as_posix()}\n" for file in files]
    sums = path.with_name(NAME)
    sums.write_text("".join(lines), encoding="utf-8")
    return sums


def verify_checksum(path: Path, sums: Path) -> None:
    """Compare a file with its line in `sums`.

    Raises:
        ChecksumError: they differ, or there is no such line.
    """
    digests = [line.partition("  ")[0] for line in _lines(sums) if line.partition("  ")[2] == path.name]
    if digests != [_digest(path)]:
        raise ChecksumError(f"its SHA-256 is not the one in {sums.name}")


def summary_digest(text: bytes) -> str:
    """Return the digest of a version: of its only file, or of all lines if it has several."""
    lines = text.decode(errors="replace").splitlines()
    return lines[0].partition("  ")[0] if len(lines) == 1 else sha256(text).hexdigest()


def _lines(sums: Path) -> list[str]:
    return sums.read_text(encoding="utf-8", errors="replace").splitlines()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
