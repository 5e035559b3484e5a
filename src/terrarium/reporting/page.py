"""Self-contained HTML pages of prose, tables and figures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape, unescape
from typing import Any

import pandas as pd
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from terrarium.reporting.theme import number

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1c1c1c; background: #fff; max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; border-bottom: 1px solid #ddd; }
table { border-collapse: collapse; font-size: 0.92rem; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { padding: 0.25rem 0.7rem; text-align: right; border-bottom: 1px solid #e8e8e8; vertical-align: top; }
th:first-child, td:first-child, th.text, td.text { text-align: left; } thead th { border-bottom: 2px solid #888; }
pre { background: #f5f5f5; padding: 0.8rem; overflow-x: auto; } figure { margin: 1rem 0; }
@media print { figure, table { break-inside: avoid; } }
"""


@dataclass(frozen=True)
class Block:
    """A piece of a page, as HTML."""

    html: str


def heading(text: str) -> Block:
    """Return a section title."""
    return Block(f"<h2>{escape(text)}</h2>")


def paragraph(text: str) -> Block:
    """Return a paragraph."""
    return Block(f"<p>{escape(text)}</p>")


def code(text: str) -> Block:
    """Return lines of code."""
    return Block(f"<pre><code>{escape(text)}</code></pre>")


def table(frame: pd.DataFrame, labels: dict[str, str] | None = None) -> Block:
    """Return an HTML table of all columns of a DataFrame; `labels` replaces column names."""
    names = labels or {}
    head = "".join(_head(str(names.get(c, c)), frame[c]) for c in frame.columns)
    rows = "".join(f"<tr>{''.join(_cell(v) for v in row)}</tr>" for row in frame.itertuples(index=False))
    return Block(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")


def figure(plot: Any, name: str) -> Block:
    """Return a plotly figure as HTML; `name` is its id on the page, its title is read by screen readers."""
    title = re.sub(r"<[^>]*>", " ", plot.layout.title.text or name)
    body = plot.to_html(full_html=False, include_plotlyjs=False, div_id=name, config={"displaylogo": False})
    return Block(f'<figure role="img" aria-label="{escape(unescape(title))}">{body}</figure>')


def page(title: str, blocks: Iterable[Block]) -> str:
    """Return the page, with the plotting library inside."""
    from plotly.offline import get_plotlyjs

    content = "\n".join(block.html for block in blocks)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n<script>{get_plotlyjs()}</script>\n</head>\n"
        f"<body>\n<h1>{escape(title)}</h1>\n{content}\n</body>\n</html>\n"
    )


def render_page(template: str, *, title: str, **values: Any) -> str:
    """Render a report as one self-contained HTML page.

    Args:
        template: path of a template in the package `terrarium`, such as `kge/reporting/report.html.j2`. It extends
            `page.html.j2` and fills the block `content`. Values are escaped; a name that is not given is an error.
            Templates can call `table(frame, labels)` and `figure(plot, name)`, and use the filters `number` (four
            significant digits, thousands separated), `percent` (one decimal) and `listing` (a, b and c).
        title: title of the page and first heading.
        values: what the template shows: numbers, text, DataFrames, plotly figures.

    Returns:
        The page, with the plotting library inside: it needs no network.
    """
    from plotly.offline import get_plotlyjs

    return _environment().get_template(template).render(title=title, plotly_js=Markup(get_plotlyjs()), **values)


@cache
def _environment() -> Environment:
    shell, families = PackageLoader("terrarium.reporting"), PackageLoader("terrarium", "")
    environment = Environment(
        loader=ChoiceLoader([shell, families]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "percent": "{:.1%}".format, "listing": listing}
    environment.globals |= {
        "table": _table_markup,
        "figure": _figure_markup,
    }
    return environment


def _table_markup(frame: pd.DataFrame, labels: dict[str, str] | None = None) -> Markup:
    return Markup(table(frame, labels).html)


def _figure_markup(plot: Any, name: str) -> Markup:
    return Markup(figure(plot, name).html)


def listing(words: Sequence[str]) -> str:
    """Return words as prose: a, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def _head(label: str, column: pd.Series) -> str:
    kind = "" if pd.api.types.is_numeric_dtype(column) else ' class="text"'
    return f'<th scope="col"{kind}>{escape(label)}</th>'


def _cell(value: Any) -> str:
    kind = ' class="text"' if isinstance(value, str) else ""
    return f"<td{kind}>{escape(number(value))}</td>"
