from typing import get_type_hints

import numpy as np
import pandas as pd
import pytest
from plotly.offline import get_plotlyjs

from terrarium.hyperbolic.reporting import disk, figures, report
from terrarium.reporting.theme import new_figure
from tests.hyperbolic import tables
from tests.hyperbolic.data.options import source_options

SOURCE = {"select": "clade", "clade": "Mammalia", "count": 100000}
FIGURES = ("figure_loss", "figure_norms", "figure_radius", "figure_separation", "figure_purity", "figure_disk")
SUMMARY = {"stop_reason": "Reached the limit of 4 epochs.", "epochs": 4, "best_epoch": 4}
WORSE = "worse than an untrained layout on: "


def write(**changed):
    given = {
        "source": source_options(**SOURCE),
        "cleaning_report": pd.DataFrame({"rule": ["environmental sample"], "removed": [7]}),
        "training_summary": SUMMARY,
        "history": tables.history(),
        "metrics": tables.metrics(),
        "layout_metrics": tables.layout_metrics(),
        "rank_metrics": tables.rank_metrics(),
        **{name: new_figure(name) for name in FIGURES},
    }
    return report.report_page(**(given | changed)).replace(get_plotlyjs(), "")


def test_the_report_says_what_was_done():
    html = write()
    for text in (
        "Mammalia",
        "121 taxa",
        "environmental sample",
        "Reached the limit",
        "epoch\n4, the best",
        "ancestor MAP, detour",
    ):
        assert text in html
    assert "catalog.load(&#34;hyperbolic.vectors&#34;)" in html
    assert "http" not in html


def test_the_example_works_on_the_vectors():
    vectors = tables.vectors()
    points = vectors[vectors["rank"] == "species"].set_index("name").filter(regex="^x[0-9]+$")
    assert list(points) == ["x0", "x1", "x2", "x3", "x4"]
    assert len(points) == 81
    assert "filter(regex=&#34;^x[0-9]+$&#34;)" in write()


@pytest.mark.parametrize(
    ("source", "title"),
    [
        (SOURCE | {"clade": tables.NASTY}, "Virus &lt;b&gt;"),
        (SOURCE | {"clade": 40674}, "40674"),
        (SOURCE | {"select": "lowest_taxids"}, "The 100,000 lowest tax ids"),
        (SOURCE | {"select": "all", "path": "somewhere.csv"}, "All taxa, from a table of parents"),
        (SOURCE | {"select": "all", "kind": "wordnet_nouns"}, "All taxa, from the nouns of WordNet"),
    ],
)
def test_the_title_names_the_source(source, title):
    assert title in write(source=source_options(**source))


def test_what_became_worse_is_said():
    assert WORSE not in write()
    html = write(layout_metrics=tables.layout_metrics(0.3), rank_metrics=tables.rank_metrics(trained=1.1))
    assert WORSE + "ancestor MAP, detour" in html
    assert WORSE + "separation at rank order, separation at rank family, purity at rank order" in html


def test_an_undefined_number_does_not_count_as_good():
    html = write(layout_metrics=tables.layout_metrics(np.nan), rank_metrics=tables.rank_metrics(trained=np.nan))
    assert WORSE + "ancestor MAP, detour" in html
    assert WORSE + "separation at rank order" in html
    assert "nan" not in html.lower()


def test_no_ranks_no_cleaning_no_training():
    reason = "No epochs were asked for (max_epochs is 0), so the weights are the initial ones."
    html = write(
        rank_metrics=tables.rank_metrics(()),
        cleaning_report=pd.DataFrame({"rule": ["environmental sample"], "removed": [0]}),
        history=tables.history(0),
        training_summary={"stop_reason": reason, "epochs": 0, "best_epoch": 0},
    )
    assert "None of the selected ranks has two groups here." in html
    assert reason in html
    assert "environmental sample" not in html
    assert "epoch 0" not in html


def test_names_cannot_break_the_page():
    vectors = tables.vectors().assign(name=tables.NASTY)
    plots = {
        "figure_disk": disk.disk_figure(vectors, "order", 50, 3),
        "figure_radius": figures.radius_figure(vectors, tables.depths(vectors), 20),
    }
    html, plain = write(**plots), write()
    assert "Virus <b>" not in html
    assert html.count("</script>") == plain.count("</script>")


@pytest.mark.parametrize("module", [disk, figures, report])
def test_annotations_resolve(module):
    for name, value in vars(module).items():
        if callable(value) and getattr(value, "__module__", "") == module.__name__:
            assert get_type_hints(value) is not None, name
