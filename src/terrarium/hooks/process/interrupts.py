"""Ctrl-C and SIGTERM end a run in order, with the exit code that the shell expects."""

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Handlers of SIGINT and SIGTERM while a run is in progress; a second signal ends the process at once."""

    def __init__(self, on_interrupt: Callable[[signal.Signals], None], *, is_sequential: bool) -> None:
        """Prepare the handlers.

        Args:
            on_interrupt: called with the signal before the process ends.
            is_sequential: whether nodes run in the main thread. They are then unwound by `SystemExit`. Other runners
                would wait for their nodes to end, so the process ends without: every file is written atomically.
        """
        self._on_interrupt, self._is_sequential = on_interrupt, is_sequential
        self._before: dict[signal.Signals, Any] = {}

    def install(self) -> None:
        """Set the handlers; outside the main thread, where that is impossible, nothing happens."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._handle) for number in _SIGNALS}

    def restore(self) -> None:
        """Set the handlers that there were before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _handle(self, number: int, _frame: FrameType | None) -> NoReturn:
        for other in self._before:
            signal.signal(other, signal.SIG_DFL)
        try:
            self._on_interrupt(signal.Signals(number))
        finally:
            code = 128 + number
            if not self._is_sequential:
                for child in multiprocessing.active_children():
                    child.terminate()
                logging.shutdown()
                os._exit(code)
            raise SystemExit(code)
