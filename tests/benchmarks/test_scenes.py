import pandas as pd
import pytest

from benchmarks import scenes
from benchmarks.measuring import Cost
from tests.test_parameters import ENVIRONMENTS


@pytest.fixture
def done(monkeypatch):
    """Runs that end at once; the parameters that were asked for."""
    asked = []

    def run(parameters, environment, data):
        asked.append((parameters, environment))
        history = pd.DataFrame(
            {
                "epoch": [1, 2],
                "loss": [2.0, 1.0],
                "validation_loss": [2.0, 1.25],
                "validation_top_1": [0.4, 0.6],
                "gradient_norm": 1.0,
                "seconds": 3.0,
            }
        )
        names = [f"{m}{s}" for m in scenes.MEASURES for s in ("", "_random_encoder", "_ten_statistics", "_wl_kernel")]
        metrics = dict.fromkeys([*names, "cross_view_top_1"], 0.5 + 0.1 * int(parameters.get("model.seed", 0)))
        return scenes.Outcome(history, metrics, {"coverage": 0.7, "known_hole_recall": 0.4}, Cost(1.0, 1.0, 1.0))

    monkeypatch.setattr(scenes, "run", run)
    monkeypatch.setattr(scenes, "prepare", lambda data: None)
    return asked


def test_recipes_are_shown_beside_the_document_s_losses(done, capsys):
    scenes.recipes()
    printed = capsys.readouterr().out
    assert "| scenes_tuned | 1.000 (0.055) | +0.250 | 2 | 1.00 | 3.0 | 0.500 | 0.500 | 0.500 | 0.500 |" in printed
    assert [environment for _, environment in done] == list(scenes.RECIPES)
    assert set(scenes.RECIPES) <= set(ENVIRONMENTS)


def test_the_ablation_takes_one_change_back_at_a_time(done, capsys):
    scenes.ablation()
    assert "| no cosine |" in capsys.readouterr().out
    assert [parameters for parameters, _ in done] == list(scenes.ABLATION.values())


def test_the_sweep_asks_about_validation_scenes_alone(done, capsys):
    scenes.sweep()
    assert "| temperature 0.2 | 0.500 | 0.500 | 0.500 | 0.500 | 0.400 | 3.0 |" in capsys.readouterr().out
    assert {parameters["evaluation.part"] for parameters, _ in done} == {"validation"}


def test_five_seeds_have_an_interval(done, capsys):
    scenes.quality()
    printed = capsys.readouterr().out
    assert "| probe_macro_f1 | 0.700 ± 0.196 |" in printed
    assert "| coverage | 0.700 |" in printed
    assert {parameters["training.seed"] for parameters, _ in done} == set("01234")
