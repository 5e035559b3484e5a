import pandas as pd
import pytest

from benchmarks import senses
from tests.test_parameters import ENVIRONMENTS

pytestmark = pytest.mark.usefixtures("results_folder")


@pytest.fixture
def done(monkeypatch):
    """Runs that end at once; the parameters that were asked for."""
    asked = []

    def run(parameters, environment):
        asked.append((parameters, environment))
        history = pd.DataFrame(
            {"epoch": [1, 2, 3], "dim": [64, 64, 128], "batch_size": [100, 100, 50], "seconds": 20.0, "parameters": 1e9}
        )
        return senses.Outcome(history, {"simlex999_spearman": 0.5})

    monkeypatch.setattr(senses, "run", run)
    return asked


def test_recipes_are_shown_with_what_is_claimed(done, capsys):
    senses.recipes()
    printed = capsys.readouterr().out
    assert "| aggressive | 3 (12-18) | 128 at epoch 3 | 100, 50 | 1.0 (20-30) | 0.500 |" in printed
    assert [environment for _, environment in done] == list(senses.RECIPES)
    assert set(senses.RECIPES) <= set(ENVIRONMENTS)


def test_recipes_can_be_cut_short(done, monkeypatch):
    monkeypatch.setenv(senses.LIMIT, "3")
    senses.recipes()
    assert all(parameters == {"training.max_epochs": "3"} for parameters, _ in done)
