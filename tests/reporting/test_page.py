"""Reports are escaped, complete and self-contained."""

from html.parser import HTMLParser

import pandas as pd
import pytest
from jinja2 import ChoiceLoader, DictLoader, UndefinedError
from plotly.offline import get_plotlyjs

from terrarium.reporting import page
from terrarium.reporting.page import figure, listing, table
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


@pytest.fixture
def render(monkeypatch):
    """Return a function that renders a template, given as text, in the shell of every report."""

    def render_text(content: str, title: str = "t", **values: object) -> str:
        text = f"{{% extends 'page.html.j2' %}}{{% block content %}}{content}{{% endblock %}}"
        environment = page._environment().overlay()
        environment.loader = ChoiceLoader([DictLoader({"test.html.j2": text}), page._environment().loader])
        monkeypatch.setattr(page, "_environment", lambda: environment)
        return page.render_page("test.html.j2", title=title, **values)

    return render_text


def test_values_are_escaped_everywhere(render):
    frame = pd.DataFrame({NASTY: [NASTY], "count": [1200]})
    content = "<p>{{ text }}</p>{{ table(frame) }}{{ figure(plot, 'plot') }}"
    seen = Outline(render(content, title=NASTY, text=NASTY, frame=frame, plot=nasty_plot()))
    assert seen.text.count(NASTY) == 5  # title, h1, p, th, td
    assert "1,200" in seen.text
    plain = Outline(render("{{ figure(plot, 'plot') }}", plot=new_figure("t")))
    assert sum(tag == "script" for tag, _ in seen.tags) == sum(tag == "script" for tag, _ in plain.tags)


def test_a_name_that_is_not_given_is_an_error(render):
    with pytest.raises(UndefinedError, match="missing"):
        render("{{ missing }}")


def test_the_page_needs_no_network(render):
    html = render("{{ figure(plot, 'one') }}{{ figure(plot, 'two') }}", plot=nasty_plot())
    assert html.count(get_plotlyjs()) == 1
    rest = html.replace(get_plotlyjs(), "")
    assert "http" not in rest
    assert "//" not in rest.replace("<\\/", "")
    assert not [tag for tag, given in Outline(html).tags if tag == "link" or "src" in given or "href" in given]


def test_a_figure_says_what_it_is():
    (given,) = [given for tag, given in Outline(figure(nasty_plot(), "p")).tags if tag == "figure"]
    assert given["role"] == "img"
    assert given["aria-label"].split() == ["a", "title", "of", "A", "&", "B"]


def test_a_table_without_rows_still_has_its_head():
    html = table(pd.DataFrame({"a": [], "b": []}), {"b": "plain name"})
    assert "plain name" in html
    assert "<td" not in html


@pytest.mark.parametrize(
    ("words", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (list("abc"), "a, b and c")]
)
def test_listing(words, text):
    assert listing(words) == text
