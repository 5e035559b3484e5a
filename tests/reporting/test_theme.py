import numpy as np
import pytest

from terrarium.reporting.theme import PALETTE, WIDE_PALETTE, new_figure, note_empty, number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (14190, "14,190"),
        (np.int64(-1200), "-1,200"),
        (0.90237, "0.9024"),
        (1347.92, "1,347.9"),
        (1e-7, "1e-07"),
        ("as it is", "as it is"),
        (None, ""),
        (float("nan"), ""),
        (np.float32("nan"), ""),
        (float("inf"), ""),
    ],
)
def test_numbers_are_written_for_people(value, text):
    assert number(value) == text


def test_no_colour_stands_for_two_things():
    assert len(set(WIDE_PALETTE)) == len(WIDE_PALETTE)
    assert WIDE_PALETTE[: len(PALETTE)] == PALETTE


def test_a_figure_of_panels_and_a_note():
    figure = new_figure("two", rows=1, cols=2)
    note_empty(figure, "nothing here")
    assert figure.layout.title.text == "two"
    assert [note.text for note in figure.layout.annotations] == ["nothing here"]
    assert not figure.layout.xaxis2.visible
