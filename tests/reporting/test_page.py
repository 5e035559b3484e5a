import pandas as pd

from terrarium.reporting.page import code, figure, heading, listing, page, paragraph, table
from terrarium.reporting.theme import new_figure

NASTY = '<script>alert("x")</script> & Co'


def test_everything_is_escaped():
    blocks = [heading(NASTY), paragraph(NASTY), code(NASTY), table(pd.DataFrame({NASTY: [NASTY]}), {NASTY: NASTY})]
    for block in blocks:
        assert "<script>" not in block.html
        assert "&lt;script&gt;" in block.html


def test_a_page_is_whole_and_holds_the_plotting_library_once():
    plot = new_figure("a figure")
    plot.add_scatter(x=[1, 2], y=[3, 4])
    html = page(NASTY, [heading("one"), figure(plot, "first"), figure(plot, "second")])
    assert html.startswith("<!doctype html>")
    assert html.count("Plotly.newPlot(") >= 2
    assert html.count("<script>/**") == 1
    assert html.index("<title>&lt;script&gt;") < html.index("<h1>")
    body = html[html.index("<body>") :]
    assert 'src="http' not in body
    assert 'href="http' not in body


def test_tables_write_numbers_for_people_and_leave_out_what_is_undefined():
    html = table(pd.DataFrame({"name": ["a"], "n": [1234567], "x": [0.123456], "nan": [float("nan")]})).html
    assert "<td>1,234,567</td><td>0.1235</td><td></td>" in html
    assert '<th scope="col" class="text">name</th>' in html


def test_listing():
    assert listing([]) == ""
    assert listing(["a"]) == "a"
    assert listing(["a", "b", "c"]) == "a, b and c"
