import re

import pytest
from pydantic import ValidationError

from terrarium.hooks.parameters import check, family_models
from terrarium.scenes import options as module
from terrarium.scenes import source_options
from tests.scenes.scenery import options
from tests.test_parameters import parameters

MODELS = {
    "source": source_options.SourceOptions,
    "source.simulator": source_options.SimulatorOptions,
    "source.simulator.variants.real": source_options.VariantOptions,
    "features": module.FeatureOptions,
    "features.graphs": module.GraphOptions,
    "model": module.ModelOptions,
    "training.augmentation": module.AugmentationOptions,
    "training.loss": module.LossOptions,
    "training.optimizer": module.OptimizerOptions,
    "training.schedule": module.ScheduleOptions,
    "evaluation": module.EvaluationOptions,
    "evaluation.augmentation": module.AugmentationOptions,
    "evaluation.coverage": module.CoverageOptions,
    "reporting": module.ReportingOptions,
    "tu": module.TUOptions,
}
RENAMED = [
    (block, old, new)
    for block, model in MODELS.items()
    for old, new in model.renamed.items()
    if not new.startswith("was ")
]


@pytest.mark.parametrize(("block", "old", "new"), RENAMED, ids=[f"{block}.{old}" for block, old, _ in RENAMED])
def test_an_old_name_is_refused_with_the_new_one(block, old, new):
    tree = parameters("local")
    branch = tree["scenes"]
    for name in block.split("."):
        branch = branch[name]
    branch[old] = 1
    faults = check({"scenes": tree["scenes"]}, {"scenes": family_models()["scenes"]})
    assert faults == [f"scenes.{block}.{old} was renamed: use scenes.{block}.{new}"]
    assert re.match(r"\w+", new)[0] in branch


@pytest.mark.parametrize(
    ("old", "value", "advice"),
    [
        ("objective.temperature", 0.2, "was renamed: use scenes.training.loss.temperature"),
        ("loss.target_momentum", 0.9, "was removed: the losses are nt_xent and info_nce"),
        ("optimizer", "adam", "is a block of options: use scenes.training.optimizer.name=adam"),
        ("schedule.learning_rate", 0.1, "was renamed: use scenes.training.optimizer.learning_rate"),
        ("weight_decay", 0.1, "was renamed: use scenes.training.optimizer.weight_decay"),
        ("clip_norm", 0.1, "was renamed: use scenes.training.optimizer.clip_norm"),
    ],
)
def test_options_of_training_that_moved_name_their_block(old, value, advice):
    tree = parameters("local")
    *branch, last = old.split(".")
    place = tree["scenes"]["training"]
    for name in branch:
        place = place.setdefault(name, {})
    place[last] = value
    faults = check({"scenes": tree["scenes"]}, {"scenes": family_models()["scenes"]})
    assert faults == [f"scenes.training.{old} {advice}"]


def test_every_option_is_described():
    for model in MODELS.values():
        for name, field in model.model_fields.items():
            nested = hasattr(field.annotation, "model_fields")
            assert field.description or nested, (model, name)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"evaluation__coverage__recorded": "carla"}, "recorded is 'carla' and the sources are real, simulation"),
        ({"source__simulator__variants__real": None}, "recorded is null and there is no recording: name a source"),
        (
            {"source__recordings": {name: {"reader": "auto", "path": "."} for name in ("a", "b")}},
            "recorded is null and there are the recordings a, b: name one",
        ),
        ({"training__loss__name": "simsiam"}, "nt_xent"),
        ({"features__val_fraction": 0.9}, "less than 0.5"),
        ({"source__recordings": {"a": {"reader": "waymo", "path": "x"}}}, "carla"),
        ({"training__batch_size": 1}, "greater than 1"),
        ({"features__test_only_sources": ["rael"]}, "has 'rael' and the sources are mine, real, simulation: name"),
        ({"features__graphs__interval_s": 2.0}, "interval_s is 2: set temporal_positive_prob to 0"),
        ({"features__graphs__interval_s": 0.7}, "temporal_positive_prob needs graphs one second apart"),
    ],
)
def test_options_that_do_not_fit_are_told(changes, message):
    with pytest.raises(ValidationError, match=message):
        options(**changes)


@pytest.mark.parametrize("interval", [0.05, 0.3, 0.5, 1.0, 1.2])
def test_intervals_with_graphs_about_a_second_apart_are_taken(interval):
    assert options(features__graphs__interval_s=interval).features.graphs.interval_s == interval
    assert options(features__graphs__interval_s=2.0, training__augmentation__temporal_positive_prob=0.0)


def test_recordings_take_the_place_of_the_variant_that_stands_in_for_them():
    default = options()
    assert set(default.source.variants) == {"real", "simulation"}
    assert module.compare_sources(default.evaluation, default.source).coverage.recorded == "real"
    own = options(source__recordings__mine__path="FOLDER")
    assert set(own.source.variants) == {"simulation"}
    assert module.compare_sources(own.evaluation, own.source).coverage.recorded == "mine"
    both = options(source__recordings__mine__path="FOLDER", source__simulator__stand_in=None)
    assert set(both.source.variants) == {"real", "simulation"}
    assert module.compare_sources(both.evaluation, both.source).coverage.recorded == "mine"
    named = options(source__simulator__stand_in=None, evaluation__coverage__recorded="real")
    assert module.compare_sources(named.evaluation, named.source) == named.evaluation
