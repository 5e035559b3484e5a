import pandas as pd
import pytest

from terrarium.influence.validation.tables import summarize


def test_the_summary_names_every_number():
    datamodels = pd.DataFrame({"method": ["factored preconditioner, last"] * 2, "lds": [0.1, 0.3]})
    deletions = pd.DataFrame({"method": ["random"], "removed": [5], "drop": [0.5]})
    mislabelled = pd.DataFrame({"method": ["loss"], "precision": [0.5], "auc": [0.7]})
    assert summarize(datamodels, deletions, mislabelled) == pytest.approx(
        {
            "lds_factored_preconditioner_last": 0.2,
            "deletion_random_5": 0.5,
            "mislabelled_loss_precision": 0.5,
            "mislabelled_loss_auc": 0.7,
        }
    )
