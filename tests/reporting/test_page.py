from html.parser import HTMLParser

import pandas as pd
import pytest
from plotly.offline import get_plotlyjs

from terrarium.reporting.page import code, figure, heading, listing, page, paragraph, table
from terrarium.reporting.theme import new_figure

NASTY = "<script>alert(1)</script> & \"q\" 'a'"


class Outline(HTMLParser):
    """Elements that were opened, and the text outside scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._silent = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._silent = tag in {"script", "style"}

    def handle_endtag(self, tag):
        self._silent = False

    def handle_data(self, data):
        if not self._silent:
            self.text.append(data)


def nasty_plot():
    plot = new_figure("a <sub>title</sub> of A &amp; B")
    plot.add_scatter(x=[1], y=[1], text=[NASTY], name=NASTY)
    return plot


def test_text_is_escaped_wherever_it_stands():
    frame = pd.DataFrame({NASTY: [NASTY], "count": [1200]})
    blocks = [heading(NASTY), paragraph(NASTY), code(NASTY), table(frame), figure(nasty_plot(), "plot")]
    seen = Outline(page(NASTY, blocks))
    assert seen.text.count(NASTY) == 7  # title, h1, h2, p, code, th, td
    assert "1,200" in seen.text
    plain = Outline(page("t", [figure(new_figure("t"), "plot")]))
    assert sum(tag == "script" for tag, _ in seen.tags) == sum(tag == "script" for tag, _ in plain.tags)


def test_the_page_needs_no_network():
    html = page("t", [figure(nasty_plot(), "one"), figure(nasty_plot(), "two")])
    assert html.count(get_plotlyjs()) == 1
    rest = html.replace(get_plotlyjs(), "")
    assert "http" not in rest
    assert "//" not in rest.replace("<\\/", "")
    assert not [tag for tag, given in Outline(html).tags if tag == "link" or "src" in given or "href" in given]


def test_a_figure_says_what_it_is():
    (given,) = [given for tag, given in Outline(figure(nasty_plot(), "p").html).tags if tag == "figure"]
    assert given["role"] == "img"
    assert given["aria-label"].split() == ["a", "title", "of", "A", "&", "B"]


def test_a_table_without_rows_still_has_its_head():
    html = table(pd.DataFrame({"a": [], "b": []}), {"b": "plain name"}).html
    assert "plain name" in html
    assert "<td" not in html


@pytest.mark.parametrize(
    ("words", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (list("abc"), "a, b and c")]
)
def test_listing(words, text):
    assert listing(words) == text
