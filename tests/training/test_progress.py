import io
import logging

import rich
from rich.console import Console

from terrarium.training.progress import BarDisplay, LogDisplay, epoch_display

ROW = {"epoch": 3, "loss": 0.123456, "norm": 2.0, "seconds": 1.5, "items_per_second": 12345.6, "peak_memory_mb": 100.0}


def test_off_a_terminal_there_is_a_log_line(caplog):
    caplog.set_level(logging.INFO)
    with LogDisplay("toy", 9) as display:
        display.show(ROW, is_best=True, waited=0)
    assert caplog.messages == ["toy epoch 3/9: loss 0.12346, norm 2, 12,346 items/s, 1.5 s, best so far"]


def test_the_terminal_decides(monkeypatch):
    for terminal, kind in [(True, BarDisplay), (False, LogDisplay)]:
        console = Console(file=io.StringIO(), force_terminal=terminal)
        monkeypatch.setattr(rich, "get_console", lambda console=console: console)
        assert isinstance(epoch_display("toy", 0, 9), kind)


def test_the_bar_shows_epoch_and_numbers(monkeypatch):
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    monkeypatch.setattr("rich.progress.get_console", lambda: console)
    with BarDisplay("toy", 2, 9) as display:
        display.show(ROW, is_best=False, waited=2)
    shown = console.file.getvalue()
    assert "3/9" in shown
    assert "loss 0.12346, norm 2" in shown
