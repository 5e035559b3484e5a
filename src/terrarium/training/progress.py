"""Progress of a training: a bar on a terminal, one log line per epoch elsewhere."""

import logging
from collections.abc import Mapping
from itertools import islice
from types import TracebackType
from typing import Protocol

import rich
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from terrarium.training.checkpointing.state import JSON

logger = logging.getLogger(__name__)

_UNSHOWN = {"epoch", "seconds", "items_per_second", "peak_memory_mb"}
_SHOWN_IN_LOG, _SHOWN_ON_BAR = 5, 3
"""How many numbers of a history row are shown: the first ones, so a trainable puts the important ones first."""


class EpochDisplay(Protocol):
    """Shows every finished epoch; a context around the training."""

    def __enter__(self) -> "EpochDisplay": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, row: Mapping[str, JSON], is_best: bool, waited: int) -> None:
        """Show the history row of a finished epoch; `waited` epochs have passed without progress."""
        ...


def epoch_display(title: str, done: int, total: int) -> EpochDisplay:
    """Return a bar where the console is a terminal, log lines elsewhere; `done` of `total` epochs are finished."""
    if rich.get_console().is_terminal:
        return BarDisplay(title, done, total)
    return LogDisplay(title, total)


class LogDisplay:
    """One log line per epoch."""

    def __init__(self, title: str, total: int) -> None:
        self._title, self._total = title, total

    def __enter__(self) -> "LogDisplay":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, row: Mapping[str, JSON], is_best: bool, waited: int) -> None:
        """Log the history row of a finished epoch."""
        speed = f"{row['items_per_second']:,.0f} items/s, {row['seconds']:.1f} s"
        best = ", best so far" if is_best else f", no improvement for {waited} epochs" if waited else ""
        logger.info(
            "%s epoch %d/%d: %s, %s%s",
            self._title,
            row["epoch"],
            self._total,
            _numbers(row, _SHOWN_IN_LOG),
            speed,
            best,
        )


class BarDisplay:
    """A progress bar with the newest numbers."""

    def __init__(self, title: str, done: int, total: int) -> None:
        columns = [TextColumn("{task.description}"), BarColumn(bar_width=12), MofNCompleteColumn()]
        self._progress = Progress(*columns, TimeRemainingColumn(), TextColumn("{task.fields[numbers]}"))
        self._task = self._progress.add_task(title, total=total, completed=done, numbers="")

    def __enter__(self) -> "BarDisplay":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, row: Mapping[str, JSON], is_best: bool, waited: int) -> None:
        """Move the progress bar to the finished epoch."""
        self._progress.update(self._task, completed=row["epoch"], numbers=_numbers(row, _SHOWN_ON_BAR))


def _numbers(row: Mapping[str, JSON], count: int) -> str:
    shown = islice(((name, value) for name, value in row.items() if name not in _UNSHOWN), count)
    return ", ".join(f"{name} {value:.5g}" for name, value in shown)
