"""Which process a run is, so that a later run can tell whether it is still there."""

import os
import socket
from collections.abc import Mapping
from typing import Any

import psutil

_SAME_START_S = 2.0


def this_process() -> dict[str, Any]:
    """Return host, pid and start time (seconds since the epoch) of this process."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "started": psutil.Process().create_time()}


def is_dead(process: Any) -> bool:
    """Return whether a process of this host has ended; False for other hosts, and for what is no process."""
    if not isinstance(process, Mapping) or process.get("host") != socket.gethostname():
        return False
    try:
        started = psutil.Process(process["pid"]).create_time()
        return abs(started - process["started"]) > _SAME_START_S
    except psutil.NoSuchProcess:
        return True
    except (KeyError, TypeError, ValueError, psutil.Error):
        return False
