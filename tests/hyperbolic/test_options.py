"""Old names of parameters end in an error that names the new ones."""

from typing import get_args

import pytest

from terrarium.hooks.parameters import check, family_models
from terrarium.hyperbolic.options import LossName, TrainingOptions
from terrarium.hyperbolic.options.by_loss import settings_of
from tests.test_parameters import parameters


def faults(name, value):
    """The lines of a run with one more parameter, such as training.temperature."""
    tree = parameters("local")
    *branch, last = name.split(".")
    block = tree["hyperbolic"]
    for part in branch:
        block = block[part]
    block[last] = value
    return check(tree, family_models(), ["data_root", "seed"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("withheld", "holdout"),
        ("source.several_parents", "source.allow_multiple_parents"),
        ("source.cut_lineages_above", "source.legacy.max_tax_id"),
        ("model.spread", "model.init_noise"),
        ("training.objective", "training.loss.name"),
        ("training.loss.distortion_weight", "training.loss.stress_weight"),
        ("training.temperature", "training.loss.temperature, which divides: 1 / the old value"),
        ("training.negatives", "training.sampler.num_negatives"),
        ("training.optimiser", "training.optimizer.name"),
        ("training.dense", "training.optimizer.legacy_adam"),
        ("training.optimizer.legacy_adam.parametrisation", "training.optimizer.legacy_adam.parametrization"),
        ("training.learning_rate_end", "training.schedule.final_learning_rate"),
        ("evaluation.queries", "evaluation.num_queries"),
        ("holdout.placed", "holdout.max_placements"),
        ("reporting.disk_points", "reporting.max_disk_points"),
    ],
)
def test_an_old_name_is_refused_with_the_new_one(old, new):
    assert faults(old, 1) == [f"hyperbolic.{old} was renamed: use hyperbolic.{new}"]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("training.loss.name", "slack", "detour"),
        ("training.loss.name", "closure", "distance_softmax"),
        ("training.loss.name", "ranking", "margin_ranking"),
        ("training.loss.name", "fine-tune", "joint"),
        ("training.loss.name", "fine_tune", "joint"),
        ("training.optimizer.name", "dense_adam", "legacy_adam"),
        ("training.sampler.negative_sampler", "outside", "true_negatives"),
        ("training.optimizer.legacy_adam.parametrization", "tanh", "tangent_space"),
    ],
)
def test_an_old_value_is_refused_with_the_new_one(name, old, new):
    assert faults(name, old) == [f"hyperbolic.{name}: {old} was renamed: use {new}"]


def test_every_old_name_leads_to_an_option():
    """Each renamed key names an option below its model."""
    for model in models(family_models()["hyperbolic"]):
        for path in model.renamed.values():
            target = model
            for part in path.split(",")[0].split("."):
                target = target.model_fields[part].annotation


def models(model):
    yield model
    for field in model.model_fields.values():
        if isinstance(field.annotation, type) and hasattr(field.annotation, "model_fields"):
            yield from models(field.annotation)


def training_of(name, **blocks):
    """The validated options of the training with a loss, everything else as by default but for some options."""
    tree = parameters("local")["hyperbolic"]["training"]
    tree["loss"]["name"] = name
    for block, changes in blocks.items():
        tree[block] |= changes
    return TrainingOptions.model_validate(tree)


@pytest.mark.parametrize("loss", get_args(LossName))
def test_what_is_auto_follows_the_loss(loss):
    chosen = training_of(loss)
    tree = chosen.model_dump()
    for name, value in settings_of(loss).items():
        block = tree
        for part in name.split("."):
            block = block[part]
        assert block == value, name


def test_losses_differ_in_what_suits_them():
    assert len({str(settings_of(loss)) for loss in get_args(LossName)}) == len(get_args(LossName)) - 1
    assert settings_of("construct") == settings_of("joint")


def test_what_a_user_sets_wins():
    chosen = training_of("distance_softmax", loss={"temperature": 0.7}, optimizer={"train_radius": False})
    assert (chosen.loss.temperature, chosen.optimizer.train_radius) == (0.7, False)


def test_settled_options_stay_as_they_are():
    chosen = training_of("detour")
    assert TrainingOptions.model_validate(chosen.model_dump()) == chosen


@pytest.mark.parametrize("loss", get_args(LossName))
@pytest.mark.parametrize("env", ["base", "test"])
def test_every_loss_runs_in_every_environment_by_its_name_alone(env, loss):
    tree = parameters("local" if env == "base" else env)
    tree["hyperbolic"]["training"]["loss"]["name"] = loss
    assert check(tree, family_models(), ["data_root", "seed"]) == []


@pytest.mark.parametrize(("num_negatives", "hard"), [(50, 16), (8, 8)])
def test_auto_hard_negatives_are_among_the_negatives(num_negatives, hard):
    tree = parameters("local")["hyperbolic"]["training"]
    tree["sampler"]["num_negatives"] = num_negatives
    assert TrainingOptions.model_validate(tree).sampler.hard_negatives == hard
