import pandas as pd
import pytest

from terrarium.scenes.criticality.tables import DECELERATION, HEADWAY, PET, TTC
from terrarium.scenes.reporting.exemplars import TITLE_WIDTH, panel_title

CRITICAL = {TTC: 5.61, HEADWAY: 1.02, DECELERATION: 0.2, PET: 0.71}
ROW = {"situation": "vehicle following a vehicle changing lane and nobody else", "times_rarer": 5.25, "graphs": 73}
ROW |= {"p_adjusted": 7.8e-17, "graph_id": "real/00034/8.00/2", "tags": ["close"], **CRITICAL}


def lines(**changes):
    return panel_title(pd.Series(ROW | changes)).split("<br>")


def test_a_title_names_the_situation_how_rare_it_is_and_what_is_critical():
    text = " ".join(lines()).replace("\u00a0", " ")
    for part in ("nobody else 5.2 times rarer, 73 graphs, adjusted p 7.8e-17", "collision in 5.6 s, headway 1.0 s"):
        assert part in text
    assert lines()[-1] == "real/00034/8.00/2"


def test_lines_are_short_and_never_part_a_number_from_its_unit():
    assert all(len(line) <= TITLE_WIDTH for line in lines())
    assert not {"s", "m/s²"} & {line.split(" ")[0] for line in lines()}


@pytest.mark.parametrize(
    ("changes", "left_out"), [({"tags": []}, "headway"), ({"p_adjusted": float("nan")}, "adjusted")]
)
def test_what_is_unknown_or_not_critical_is_left_out(changes, left_out):
    assert left_out in " ".join(lines())
    assert left_out not in " ".join(lines(**changes))
