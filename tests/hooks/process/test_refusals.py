import pytest

from terrarium.hierarchy import HierarchyError
from terrarium.hooks.process.refusals import SHOW, Refusal, RefuseInOneLine, is_refusal
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
