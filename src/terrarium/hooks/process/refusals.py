"""An error of the user's making ends a run in one line; its traceback goes to a file."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from pathlib import Path
from tempfile import gettempdir

from click import ClickException
from kedro.framework.hooks import hook_impl

SHOW = "TERRARIUM_TRACEBACK"
"""Environment variable; 1 shows the traceback of every error."""


class Refusal(ClickException, ValueError):
    """A run was refused for a reason that its message names."""


class RefuseInOneLine:
    """Replace the traceback of an error that this project raises on purpose by its message.

    Such errors are of a class of this project. Others are faults of the project and keep their traceback. What Kedro
    logs about a refused node, its message and how to go on after it, would only repeat the last line and is left out.
    """

    @hook_impl
    def after_context_created(self) -> None:
        """Leave Kedro's lines about a refusal out of the log."""
        for handler in logging.getLogger().handlers:
            handler.addFilter(is_shown)

    @hook_impl(trylast=True)
    def on_pipeline_error(self, error: Exception) -> None:
        """Raise Refusal for an error of one of the project's classes."""
        if is_refusal(error) and os.environ.get(SHOW) != "1":
            raise Refusal(f"{error}{_note(error)}") from error


def is_refusal(error: BaseException) -> bool:
    """Return whether an error was raised on purpose: its class is one of this project, or a base of it is."""
    return type(error).__module__.split(".")[0] == "terrarium" and not isinstance(error, ClickException)


def is_shown(record: logging.LogRecord) -> bool:
    """Return whether a log record is shown: all but those of Kedro that are written while a refusal passes."""
    error = sys.exc_info()[1]
    if error is None or not record.name.startswith(("kedro", "terrarium.runner")) or os.environ.get(SHOW) == "1":
        return True
    return not is_refusal(error)


def _note(error: BaseException) -> str:
    """Write the traceback to a file and return where it is."""
    text = "".join(traceback.format_exception(error))
    file = Path(gettempdir()) / f"terrarium-{os.getpid()}.log"
    try:
        file.write_text(text, encoding="utf-8")
    except OSError:
        return ""
    return f" (traceback: {file})"
