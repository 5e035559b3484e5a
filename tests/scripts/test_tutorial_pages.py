"""Tutorial pages show the notebooks: the same text and code, outputs as tables, text and pictures."""

import re
from pathlib import Path

import pandas as pd
import pytest

from scripts import tutorial_pages
from scripts.tutorial_pages import FIGURE, NOTEBOOKS, PAGES, markdown_table, page_lines, read

STEMS = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))


@pytest.mark.parametrize("name", STEMS)
def test_the_code_of_a_page_is_that_of_its_notebook(name):
    """If not: python -m scripts.tutorial_pages."""
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    code = [
        "".join(cell["source"]).strip() for cell in read(NOTEBOOKS / f"{name}.ipynb") if cell["cell_type"] == "code"
    ]
    assert re.findall(r"^```python\n(.*?)\n```$", page, flags=re.DOTALL | re.MULTILINE) == code


@pytest.mark.parametrize("name", STEMS)
def test_a_page_begins_with_the_title_of_its_notebook(name):
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    assert page.splitlines()[0] == read(NOTEBOOKS / f"{name}.ipynb")[0]["source"][0].strip()


def test_outputs_follow_their_cell(monkeypatch):
    drawn = []
    monkeypatch.setattr(tutorial_pages, "draw_figure", lambda figure, path: drawn.append(path) or path)
    table = pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="key"))
    outputs = [
        {"output_type": "stream", "text": "a log"},
        {"data": {"text/html": table.to_html(), "text/plain": "a table"}},
        {"data": {FIGURE: {"data": [], "layout": {"title": {"text": "A title<br>more"}}}, "text/html": "<div>"}},
        {"data": {"text/plain": "\n\x1b[1m{\x1b[0m\x1b[1;36m42\x1b[0m\x1b[1m}\x1b[0m"}},
    ]
    cells = [
        {"cell_type": "markdown", "source": "# Title\n\nSome text."},
        {"cell_type": "code", "source": "1 + 1", "outputs": outputs},
    ]
    parts = list(page_lines("example", cells))
    assert parts[0] == "# Title\n\nSome text."
    assert parts[2] == "```python\n1 + 1\n```"
    assert parts[3].splitlines()[0] == "| key | a |"
    assert parts[4] == "![A title](../images/tutorials/example-1.png)"
    assert parts[5] == "```text\n{42}\n```"
    assert [Path(path).name for path in drawn] == ["example-1.png"]


def test_an_index_that_spans_rows_is_in_each_of_them():
    index = pd.MultiIndex.from_tuples([("test", "a"), ("test", "b")], names=["split", "method"])
    html = pd.DataFrame({"mrr": [0.5, 0.25]}, index=index).to_html()
    rows = ["| split | method | mrr |", "| --- | --- | --- |", "| test | a | 0.50 |", "| test | b | 0.25 |"]
    assert markdown_table(html).splitlines() == rows


def test_a_table_keeps_its_cells():
    html = pd.DataFrame({"a|b": ["x", "y"], "n": [1.5, 2.0]}).to_html()
    assert markdown_table(html).splitlines() == [
        "|  | a\\|b | n |",
        "| --- | --- | --- |",
        "| 0 | x | 1.5 |",
        "| 1 | y | 2.0 |",
    ]
