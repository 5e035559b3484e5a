"""Independent calculations, on the workers of a Dask cluster where there is one."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

logger = logging.getLogger(__name__)

Shared = TypeVar("Shared")
Item = TypeVar("Item")
Result = TypeVar("Result")


def map_tasks(
    function: Callable[[Shared, Item], Result], shared: Shared, items: Sequence[Item], title: str
) -> list[Result]:
    """Return `function(shared, item)` of each item, in their order.

    In a task of a Dask cluster, all workers of the cluster share the work; elsewhere the items are done here, one after
    another. The results are the same if `function` depends on its arguments alone.

    Args:
        function: defined at the top of a module, so that it can be sent to another process.
        shared: sent to each worker once.
        items: what differs.
        title: of the work, for the log.
    """
    results = []
    for number, result in enumerate(_results(function, shared, items), start=1):
        results.append(result)
        logger.info("%s: %d of %d", title, number, len(items))
    return results


def _results(function: Callable[[Shared, Item], Result], shared: Shared, items: Sequence[Item]) -> Iterator[Result]:
    if not _is_in_dask():
        yield from (function(shared, item) for item in items)
        return
    from distributed import worker_client

    with worker_client() as client:  # gives up this task's thread, so that a cluster of one worker does not wait for it
        everywhere = client.scatter(shared, broadcast=True, hash=False)
        futures = [client.submit(function, everywhere, item, pure=False) for item in items]
        yield from (future.result() for future in futures)


def _is_in_dask() -> bool:
    """Return whether this thread runs a task of a Dask worker; that has imported `distributed`."""
    if "distributed" not in sys.modules:
        return False
    from distributed import get_worker

    try:
        get_worker()
    except ValueError:
        return False
    return True
