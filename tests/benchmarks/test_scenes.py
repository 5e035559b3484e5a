import pandas as pd
import pytest
import yaml

from benchmarks import scenes
from benchmarks.measuring import Cost
from benchmarks.scenes_curves import Curve, measure_curve
from terrarium.pipelines.scenes import nodes
from terrarium.scenes.options import AugmentationOptions
from terrarium.training.checkpointing.state import write_state
from terrarium.training.checkpointing.store import TrainingStore
from tests.scenes.scenery import options, tables
from tests.test_parameters import ENVIRONMENTS

pytestmark = pytest.mark.usefixtures("results_folder")


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
        others = ("_trained_encoder", "_random_encoder", "_ten_statistics", "_wl_kernel")
        names = [f"{m}{s}" for m in scenes.MEASURES for s in ("", *others)]
        metrics = dict.fromkeys([*names, "cross_view_top_1"], 0.5 + 0.1 * int(parameters.get("model.seed", 0)))
        tuned = Curve([0, 1, 2], [0.2, 0.5, 0.75], [0.2, 0.6, 1.0])
        curve = (
            tuned
            if environment == "recipes/scenes/graph_embedding_tuned"
            else Curve([0, 1, 2], [0.3, 0.4, 0.5], [0.3, 0.4, 0.5])
        )
        return scenes.Outcome(history, metrics, {"coverage": 0.7, "deletion_recall": 0.4}, Cost(1.0, 1.0, 1.0), curve)

    monkeypatch.setattr(scenes, "run", run)
    monkeypatch.setattr(scenes, "prepare", lambda data: None)
    return asked


def test_recipes_are_shown_next_to_their_reported_losses(done, capsys, monkeypatch):
    monkeypatch.setenv(scenes.SCENES, "40")
    scenes.recipes()
    printed = capsys.readouterr().out
    row = "| graph_embedding_tuned | 2 | 1.000 (0.055) | 0.200 | 0.750 | +0.250 | 1 (2) | 1.00 | 3.0 | 0.500 |"
    assert row in printed
    assert "40 scenes per variant, seed 0" in printed
    assert {parameters["training.precision"] for parameters, _ in done} == {"32-true"}
    assert [environment for _, environment in done] == list(scenes.RECIPES)
    assert set(scenes.RECIPES) <= set(ENVIRONMENTS)


def test_the_ablation_takes_one_change_back_at_a_time(done, capsys):
    scenes.ablation()
    assert "| no cosine |" in capsys.readouterr().out
    single = {"training.precision": "32-true"}
    assert [parameters for parameters, _ in done] == [single | given for given in scenes.ABLATION.values()]
    assert done[-1][0] == {"training.precision": "bf16-mixed"}


@pytest.mark.parametrize("given", [*scenes.SWEEP.values(), *scenes.ABLATION.values()])
def test_all_changes_are_parameters(given):
    assert options(**{name.replace(".", "__"): yaml.safe_load(value) for name, value in given.items()})


@pytest.mark.parametrize("environment", scenes.RECIPES)
def test_what_recipes_are_given_are_parameters(environment):
    given = {name.replace(".", "__"): yaml.safe_load(value) for name, value in scenes.of_recipe(environment).items()}
    chosen = options(environment, **given)
    assert chosen.training.max_epochs == scenes.epochs_of(environment)


def test_recipes_have_their_own_epochs_or_those_of_the_environment(monkeypatch):
    assert scenes.epochs_of("recipes/scenes/graph_embedding_tuned") == 50
    monkeypatch.setenv(scenes.EPOCHS, "6,graph_embedding_large=1")
    assert [
        scenes.epochs_of(name)
        for name in ("recipes/scenes/graph_embedding_tuned", "recipes/scenes/graph_embedding_large")
    ] == [6, 1]


def test_equal_quality_is_where_the_worse_of_two_ends():
    curve = Curve([0, 2, 4, 6], [0.9, 0.3, 0.6, 0.8], [0.9, 0.5, 0.7, 0.9])
    assert curve.reached(0.55) == 4
    assert curve.reached(0.95) == 6
    assert curve.gap == pytest.approx(0.1)


def test_a_curve_is_measured_from_the_checkpoints_with_one_gallery_for_all(tmp_path):
    """Epoch 0 is untrained; the last epoch's value is that of the weights when nothing stopped before."""
    chosen, made = options(training__max_epochs=2, training__checkpoints__keep_every=1), tables()
    store = TrainingStore(tmp_path / "training_state")
    trained = nodes.train(made["graphs"], made["index"], store, chosen.model, chosen.training, chosen.features)
    write_state(tmp_path / "weights.safetensors", trained["weights"])
    write_state(tmp_path / "graphs.safetensors", made["graphs"])
    made["index"].to_parquet(tmp_path / "graph_index.parquet")
    curve = measure_curve(str(tmp_path), chosen.evaluation.augmentation, 0)
    assert curve.epochs == [0, 1, 2]
    assert all(0.0 <= value <= 1.0 for value in (*curve.validation, *curve.training))
    assert curve == measure_curve(str(tmp_path), chosen.evaluation.augmentation, 0)
    steady = AugmentationOptions.model_validate(
        chosen.evaluation.augmentation.model_dump() | {"edge_drop_prob": 0.0, "node_drop_prob": 0.0}
    )
    assert min(measure_curve(str(tmp_path), steady, 0).validation) > 0.95


def test_the_sweep_asks_about_validation_scenes_alone(done, capsys):
    scenes.sweep()
    assert "| temperature 0.2 | 0.500 | 0.500 | 0.500 | 0.500 | 0.400 | 3.0 |" in capsys.readouterr().out
    assert {parameters["evaluation.split"] for parameters, _ in done} == {"validation"}


def test_five_seeds_have_an_interval(done, capsys):
    scenes.quality()
    printed = capsys.readouterr().out
    assert "| linear probe, macro F1 | 0.700 ± 0.196 |" in printed
    assert "| coverage | 0.700 |" in printed
    assert {parameters["training.seed"] for parameters, _ in done} == set("01234")
