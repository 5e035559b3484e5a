import pandas as pd
import pytest

from terrarium.influence.validation.figures import datamodel_figure, deletion_figure
from terrarium.influence.validation.report import validation_page


def deletions():
    rows = [("influence", count, drop) for count, drops in ((2, (3, 5)), (1, (1, 2))) for drop in drops]
    return pd.DataFrame(rows, columns=["method", "removed", "drop"])


def test_curves_start_at_nothing_and_have_errors():
    (curve,) = deletion_figure(deletions()).data
    assert list(curve.x) == [0, 1, 2]
    assert list(curve.y) == [0, 1.5, 4]
    assert list(curve.error_y.array) == pytest.approx([0, 0.5, 1])


def test_the_report_shows_the_three_studies():
    datamodels = pd.DataFrame({"method": ["cosine <b>"] * 2, "lds": [0.1, 0.3], "lds_error": [0.01, 0.02]})
    mislabelled = pd.DataFrame({"method": ["loss"], "precision": [0.5], "auc": [0.7]})
    figures = datamodel_figure(datamodels), deletion_figure(deletions())
    assert list(figures[0].data[0].error_x.array) == pytest.approx([0.015])
    page = validation_page(datamodels, deletions(), mislabelled, *figures)
    assert "cosine &lt;b&gt;" in page
    for text in ("mean over seeds", "mean drop", "mislabelled triples?", 'id="deletions"', 'id="datamodels"'):
        assert text in page
