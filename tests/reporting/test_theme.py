import pytest

from terrarium.reporting.theme import PALETTE, WIDE_PALETTE, new_figure, number


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (3.0, "3"), (1234567, "1,234,567"), (0.00012349, "0.0001235"), (1234.567, "1,234.6"), (None, "")],
)
def test_numbers(value, text):
    assert number(value) == text


def test_what_is_not_finite_is_left_out_and_text_stays():
    assert number(float("nan")) == number(float("inf")) == ""
    assert number("text") == "text"


def test_colours_differ_and_figures_have_the_look():
    assert len(set(WIDE_PALETTE)) == len(WIDE_PALETTE) > len(PALETTE)
    assert new_figure("a").layout.title.text == "a"
    assert len(new_figure("a", rows=1, cols=2).get_subplot(1, 2)) == 2
