import os
import subprocess
import sys
from pathlib import Path

import pytest

import terrarium
from terrarium.common import kernels

SOURCE = Path(terrarium.__file__).parent

USE = """
import sys
sys.path.insert(0, sys.argv[1])
from terrarium.common import kernels
from pathlib import Path

kernels._PACKAGE = Path(sys.argv[1]) / "kernels_of_a_test"
from kernels_of_a_test.outer import inner, twice

used = {"inner": inner, "twice": twice}[sys.argv[2]]
print(used(1.0), *(sum(kernel.stats.cache_hits.values()) for kernel in (twice, inner)))
"""
INNER = "from terrarium.common.kernels import njit\n\n\n@njit(cache=True)\ndef inner(x):\n    return x + {}\n"
OUTER = (
    "from kernels_of_a_test.inner import inner\nfrom terrarium.common.kernels import njit\n\n\n"
    "@njit(cache=True)\ndef twice(x):\n    return 2 * inner(x)\n"
)


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "kernels_of_a_test"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "inner.py").write_text(INNER.format(1))
    (folder / "outer.py").write_text(OUTER)
    return folder


def use(package: Path, kernel: str = "twice", **environment: str) -> list[float]:
    """Result of a kernel in a new process, and cache hits of both."""
    command = [sys.executable, "-B", "-c", USE, str(package.parent), kernel]
    given = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    given |= {"PYTHONPATH": ":".join(sys.path)} | environment
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=True)
    return [float(word) for word in done.stdout.split()]


def test_a_kernel_is_compiled_once_and_again_when_one_that_it_calls_changes(package):
    assert use(package) == [4.0, 0, 0]
    assert use(package) == [4.0, 1, 0]
    (package / "inner.py").write_text(INNER.format(2))
    assert use(package) == [6.0, 0, 0]
    assert use(package) == [6.0, 1, 0]


def test_a_kernel_that_another_one_needs_is_compiled_with_it(package):
    """Otherwise the last bits would depend on what was in the cache."""
    assert use(package, "inner") == [2.0, 0, 0]
    assert use(package, "inner") == [2.0, 0, 1]
    assert use(package) == [4.0, 0, 0]
    assert use(package) == [4.0, 1, 0]


def test_without_a_folder_to_write_to_kernels_are_compiled_in_memory(package):
    """As on a read-only installation with an unknown user id."""
    (package / "__pycache__").write_text("no folder")
    read_only = {"HOME": "/proc", "XDG_CACHE_HOME": "/proc/none"}
    for _ in range(2):
        assert use(package, **read_only) == [4.0, 0, 0]


def test_the_cache_can_be_put_elsewhere(package, tmp_path):
    elsewhere = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    assert use(package, **elsewhere) == [4.0, 0, 0]
    assert use(package, **elsewhere) == [4.0, 1, 0]
    assert not (package / "__pycache__").exists()


def test_the_stamp_follows_kernels_and_what_they_import(tmp_path, monkeypatch):
    (tmp_path / "a.py").write_text("from terrarium.b import LIMIT\n@njit(cache=True)\ndef f(): ...\n")
    (tmp_path / "b.py").write_text("LIMIT = 1\n")
    (tmp_path / "c.py").write_text("LIMIT = 1\n")
    monkeypatch.setattr(kernels, "_PACKAGE", tmp_path)
    stamps = []
    for name, text in (("a.py", None), ("c.py", "LIMIT = 2\n"), ("b.py", "LIMIT = 2\n")):
        if text is not None:
            (tmp_path / name).write_text(text)
        kernels.kernel_stamp.cache_clear()
        stamps.append(kernels.kernel_stamp())
    kernels.kernel_stamp.cache_clear()
    assert stamps[0] == stamps[1] != stamps[2]


def test_all_kernels_of_the_package_have_this_cache():
    users = [path for path in SOURCE.rglob("*.py") if "numba import njit" in path.read_text(encoding="utf-8")]
    assert users == []
