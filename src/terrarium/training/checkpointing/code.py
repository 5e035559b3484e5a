"""The identity of the installed code."""

from functools import cache
from hashlib import sha256
from pathlib import Path

_PACKAGE = Path(__file__).parents[2]


@cache
def code_digest() -> str:
    """Return the first 16 hex digits of the SHA-256 of the package's Python files, by their paths and contents."""
    total = sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        total.update(f"{path.relative_to(_PACKAGE).as_posix()}\0".encode())
        total.update(sha256(path.read_bytes()).digest())
    return total.hexdigest()[:16]
