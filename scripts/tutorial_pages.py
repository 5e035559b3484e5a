"""Run the notebooks and write each as a page with its outputs: python -m scripts.tutorial_pages [NAME ...].

Figures become pictures in `docs/images/tutorials`. What the run logs is left out. A test checks that the code of every
page is that of its notebook.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from scripts.figure_images import draw_figure

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
PAGES = ROOT / "docs/tutorials"
PICTURES = ROOT / "docs/images/tutorials"
FIGURE = "application/vnd.plotly.v1+json"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
"""Colours that rich adds to text, as Kedro installs it in notebooks."""
_NOTE = "<!-- Written by `python -m scripts.tutorial_pages` from notebooks/{name}.ipynb; do not edit. -->"


def page_lines(name: str, cells: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the parts of the page of an executed notebook; draw its figures.

    Args:
        name: of the notebook.
        cells: of the notebook, with outputs.
    """
    figures = 0
    for position, cell in enumerate(cells):
        source = "".join(cell["source"]).strip()
        if cell["cell_type"] == "markdown":
            yield _wrapped(source)
            if position == 0:
                yield _NOTE.format(name=name)
            continue
        yield f"```python\n{source}\n```"
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if FIGURE in data:
                figures += 1
                path = draw_figure(data[FIGURE], PICTURES / f"{name}-{figures}.png")
                yield f"![{_title(data[FIGURE]) or name}](../{path.relative_to(ROOT / 'docs')})"
            elif "<table" in "".join(data.get("text/html", "")):
                yield markdown_table("".join(data["text/html"]))
            elif "text/plain" in data and "text/html" not in data:
                yield "```text\n" + _COLOURS.sub("", "".join(data["text/plain"])).strip("\n") + "\n```"


def markdown_table(html: str) -> str:
    """Return the first table of an HTML text, as pandas writes it, as a Markdown table."""
    parser = _Cells()
    parser.feed(html)
    rows = [row for row in parser.rows if row]
    width = max(map(len, rows))
    names_of_index = len(rows) > 1 and all(bool(above) != bool(below) for above, below in zip(*rows[:2], strict=False))
    if names_of_index:  # in a row of their own
        rows[0] = [name or index for name, index in zip(rows[0], rows.pop(1), strict=True)]
    lines = [[*row, *[""] * (width - len(row))] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [lines[0], ["---"] * width, *lines[1:]])


def execute(path: Path) -> list[Mapping[str, Any]]:
    """Return the cells of a notebook, run from a clean state."""
    import nbformat
    from nbclient import NotebookClient

    os.environ["TERRARIUM_VIZ_HOOKS"] = "0"
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=1200, resources={"metadata": {"path": str(path.parent)}}).execute()
    return list(notebook.cells)


def read(path: Path) -> list[Mapping[str, Any]]:
    """Return the cells of a notebook as it is kept, without outputs."""
    return list(json.loads(path.read_text(encoding="utf-8"))["cells"])


def main(names: Sequence[str], runs: bool = True) -> int:
    """Write the pages of the named notebooks; without `runs`, they have no outputs."""
    for name in names:
        path = NOTEBOOKS / f"{name}.ipynb"
        parts = page_lines(name, execute(path) if runs else read(path))
        (PAGES / f"{name}.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
        sys.stderr.write(f"{name}\n")
    return 0


def _wrapped(markdown: str) -> str:
    """Return Markdown whose paragraphs are wrapped at 100 columns."""
    parts = [part if part.startswith("#") else textwrap.fill(part, 100) for part in markdown.split("\n\n")]
    return "\n\n".join(parts)


class _Cells(HTMLParser):
    """Collects the cells of tables, row by row; one that spans rows is in each of them."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._open = False
        self._spans: set[tuple[int, int]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            above = self.rows[-1] if self.rows else []
            self.rows.append([])
            while (len(self.rows) - 1, len(self.rows[-1])) in self._spans:
                self.rows[-1].append(above[len(self.rows[-1])])
        elif tag in ("td", "th"):
            self._open = True
            row, column = len(self.rows) - 1, len(self.rows[-1])
            for below in range(1, int(dict(attrs).get("rowspan") or 1)):
                self._spans.add((row + below, column))
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.rows[-1][-1] += re.sub(r"\s+", " ", data).replace("|", "\\|")


def _title(figure: Mapping[str, Any]) -> str:
    title = figure.get("layout", {}).get("title", {})
    text = title.get("text", "") if isinstance(title, Mapping) else str(title)
    return re.sub(r"<.*", "", text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    stems = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
    parser.add_argument("name", nargs="*", choices=[[], *stems], help="notebooks; all by default")
    parser.add_argument("--no-run", action="store_true", help="write pages without outputs")
    given = parser.parse_args()
    raise SystemExit(main(given.name or stems, not given.no_run))
