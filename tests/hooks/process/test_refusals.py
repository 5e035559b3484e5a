import logging

import pytest

from terrarium.hierarchy import HierarchyError
from terrarium.hooks.process.refusals import SHOW, Refusal, RefuseInOneLine, is_refusal, is_shown
from terrarium.sources.errors import SourceError


@pytest.mark.parametrize("error", [SourceError("a.csv line 3: wrong"), HierarchyError("two roots")])
def test_an_error_of_the_project_is_one_line_and_its_traceback_is_in_a_file(error, monkeypatch):
    monkeypatch.delenv(SHOW, raising=False)
    with pytest.raises(Refusal) as refusal:
        RefuseInOneLine().on_pipeline_error(error)
    message, _, file = refusal.value.format_message().rpartition(" (traceback: ")
    assert message == str(error)
    with open(file.rstrip(")"), encoding="utf-8") as log:
        assert str(error) in log.read()


def test_other_errors_and_a_switch_keep_the_traceback(monkeypatch):
    assert not is_refusal(KeyError("x"))
    assert not is_refusal(Refusal("already one line"))
    RefuseInOneLine().on_pipeline_error(KeyError("x"))
    monkeypatch.setenv(SHOW, "1")
    RefuseInOneLine().on_pipeline_error(SourceError("shown with its traceback"))


@pytest.mark.parametrize(
    ("logger", "error", "shown"),
    [
        ("kedro.runner.sequential_runner", SourceError("a.csv line 3: wrong"), False),
        ("kedro.pipeline.node", SourceError("a.csv line 3: wrong"), False),
        ("kedro.runner.sequential_runner", KeyError("x"), True),
        ("terrarium.training.fit", SourceError("a.csv line 3: wrong"), True),
    ],
)
def test_kedro_s_lines_about_a_refusal_are_left_out(logger, error, shown, monkeypatch):
    record = logging.LogRecord(logger, logging.WARNING, "", 0, "No nodes ran.", None, None)
    assert is_shown(record)
    try:
        raise error
    except (SourceError, KeyError):
        assert is_shown(record) == shown
        monkeypatch.setenv(SHOW, "1")
        assert is_shown(record)
