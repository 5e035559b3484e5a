"""Self-contained HTML pages from Jinja2 templates, with tables and figures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from html import escape, unescape
from typing import Any

import pandas as pd
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from terrarium.reporting.theme import number


def table(frame: pd.DataFrame, labels: dict[str, str] | None = None) -> Markup:
    """Return all columns of a DataFrame as an HTML table, escaped; `labels` replaces column names."""
    names = labels or {}
    head = "".join(_head(str(names.get(c, c)), frame[c]) for c in frame.columns)
    rows = "".join(f"<tr>{''.join(_cell(v) for v in row)}</tr>" for row in frame.itertuples(index=False))
    return Markup(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")


def figure(plot: Any, name: str) -> Markup:
    """Return a plotly figure as HTML; `name` is its id on the page, its title is read by screen readers."""
    title = re.sub(r"<[^>]*>", " ", plot.layout.title.text or name)
    body = plot.to_html(full_html=False, include_plotlyjs=False, div_id=name, config={"displaylogo": False})
    return Markup(f'<figure role="img" aria-label="{escape(unescape(title))}">{body}</figure>')


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
    environment.globals |= {"table": table, "figure": figure}
    return environment


def listing(words: Sequence[str]) -> str:
    """Return words as prose: a, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def _head(label: str, column: pd.Series) -> str:
    kind = "" if pd.api.types.is_numeric_dtype(column) else ' class="text"'
    return f'<th scope="col"{kind}>{escape(label)}</th>'


def _cell(value: Any) -> str:
    kind = ' class="text"' if isinstance(value, str) else ""
    return f"<td{kind}>{escape(number(value))}</td>"
