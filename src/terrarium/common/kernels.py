"""Compiled kernels: `numba.njit` with a cache that is never stale and never in the way.

Numba's own cache of a function looks only at the file of that function. If a kernel of another file changes, which was
compiled into it, numba goes on with the old code. Here all kernels of the package share one stamp: the SHA-256 of all
files that decide what is compiled. When one of them changes, all kernels are compiled again.

A kernel that is compiled into another one is compiled again with it, never taken from the cache: inlined code would
differ in the last bits from code that was compiled before, so a result would depend on which kernels happened to be in
the cache.

The cache is in the first of these folders that can be written to: `NUMBA_CACHE_DIR`, the `__pycache__` next to the
kernel, the user's cache folder. If there is none (a container with a read-only file system), kernels are compiled in
memory at each start.
"""

from __future__ import annotations

import functools
import logging
import re
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import numba
from numba.core.caching import (
    CompileResultCacheImpl,
    FunctionCache,
    InTreeCacheLocator,
    UserProvidedCacheLocator,
    UserWideCacheLocator,
)

logger = logging.getLogger(__name__)

_PACKAGE = Path(__file__).parents[1]
_IS_KERNEL_FILE = re.compile(rb"^@njit\b", re.MULTILINE)
_IMPORT = re.compile(rb"^from terrarium\.([\w.]+) import", re.MULTILINE)


def njit(*, cache: bool, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator that compiles a function on its first call.

    Args:
        cache: keep the result for later processes.
        options: further ones of `numba.njit`.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        dispatcher, kernel_cache = numba.njit(**options)(function), cast("Any", _KernelCache)
        if not cache:
            return dispatcher
        try:
            dispatcher._cache = kernel_cache(function)
        except RuntimeError:
            logger.debug("No folder for compiled kernels can be written to, so %s is compiled in memory", function)
        return dispatcher

    return decorate


@functools.cache
def kernel_stamp() -> str:
    """Return the SHA-256 of all kernel files of the package and of the files of the package that they import."""
    todo = [path for path in sorted(_PACKAGE.rglob("*.py")) if _IS_KERNEL_FILE.search(path.read_bytes())]
    contents: dict[Path, bytes] = {}
    while todo:
        path = todo.pop()
        if path not in contents:
            contents[path] = path.read_bytes()
            modules = (match.decode().replace(".", "/") for match in _IMPORT.findall(contents[path]))
            files = (_PACKAGE / f"{module}.py" for module in modules)
            todo += [file for file in files if file.is_file()]
    total = sha256()
    for path in sorted(contents):
        total.update(f"{path.relative_to(_PACKAGE).as_posix()}\0".encode() + sha256(contents[path]).digest())
    return total.hexdigest()


class _PackageStamp:
    """Part of a locator: the stamp of a function is that of all kernels."""

    def get_source_stamp(self) -> str:
        return kernel_stamp()


class _Given(_PackageStamp, UserProvidedCacheLocator):
    """The folder `NUMBA_CACHE_DIR`."""


class _InTree(_PackageStamp, InTreeCacheLocator):
    """`__pycache__` next to the kernel."""


class _UserWide(_PackageStamp, UserWideCacheLocator):
    """The user's cache folder."""


class _KernelCacheImpl(CompileResultCacheImpl):
    _locator_classes = [_Given, _InTree, _UserWide]  # noqa: RUF012


class _Depth(threading.local):
    """How many kernels this thread is compiling, each for the one before."""

    value = 0


_DEPTH = _Depth()


class _KernelCache(FunctionCache):
    _impl_class = _KernelCacheImpl

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled kernel; None, upon which numba compiles it, if there is none or another one needs it."""
        found = None if _DEPTH.value else super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        _DEPTH.value += found is None
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a kernel that has just been compiled."""
        _DEPTH.value -= 1
        super().save_overload(sig, data)  # type: ignore[no-untyped-call]
