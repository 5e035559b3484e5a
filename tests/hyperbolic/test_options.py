"""Old names of parameters end in an error that names the new ones."""

import pytest

from terrarium.hooks.parameters import check, family_models
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
        ("training.loss.name", "fine-tune", "fine_tune"),
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
