import pandas as pd
import pytest

from benchmarks import senses
from benchmarks.measuring import Cost
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
        metrics = dict.fromkeys(senses.MEASURES.values(), 0.5)
        cuts = pd.DataFrame({"variant": ["PCA to 64", "first 32"], "simlex999_spearman": [0.4, 0.3]})
        return senses.Outcome(history, metrics, cuts, {}, Cost(1.0, 60.0, 1.0))

    monkeypatch.setattr(senses, "run", run)
    return asked


def test_recipes_are_shown_beside_the_documents(done, capsys):
    senses.recipes()
    printed = capsys.readouterr().out
    assert "| aggressive | 3 (12-18) | 128 at epoch 3 | 100, 50 | 1.0 (20-30) | 0.500 |" in printed
    assert [environment for _, environment in done] == list(senses.RECIPES)
    assert set(senses.RECIPES) <= set(ENVIRONMENTS)


def test_recipes_can_be_cut_short(done, monkeypatch):
    monkeypatch.setenv(senses.LIMIT, "3")
    senses.recipes()
    assert all(parameters == {"training.max_epochs": "3"} for parameters, _ in done)


def test_sizes_are_medians_over_the_seeds(done, capsys):
    senses.sizes()
    printed = capsys.readouterr().out
    assert "| fixed 64 | 128 | 3.00 | 1.0 | 0.500 |" in printed
    assert "| fixed 512, PCA to 64 | 64 |  |  | 0.400 |" in printed
    assert "| matryoshka 128, first 32 | 32 |  |  | 0.300 |" in printed
    assert {parameters["model.seed"] for parameters, _ in done} == {"0", "1", "2"}
    assert len(done) == len(senses.SIZES) * 3
