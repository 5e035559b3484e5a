"""Parameters: files and models agree, defaults stand in one place, and annotations reach Kedro."""

import logging
import re
from copy import deepcopy
from functools import cache
from typing import get_args

import pandas as pd
import pytest
from kedro.config import OmegaConfigLoader
from kedro.validation.parameter_validator import ParameterValidator
from pydantic import BaseModel, TypeAdapter

from terrarium.hooks.parameters import check, family_models
from terrarium.hyperbolic.options import LegacySourceOptions, Options
from terrarium.pipeline_registry import register_pipelines
from terrarium.pipelines.hyperbolic import nodes
from terrarium.training.checkpointing.store import TrainingStore
from tests.project import ROOT

ENVIRONMENTS = ["test", *sorted(str(path.relative_to(ROOT / "conf")) for path in (ROOT / "conf/recipes").glob("*/*"))]
RECIPES = [name for name in ENVIRONMENTS if name.startswith("recipes/hyperbolic/v")]
HOMINIDAE = {"select": "clade", "clade": 9604, "legacy": LegacySourceOptions(max_tax_id=None)}


def changed(tree, changes):
    """The tree with changes such as training__max_epochs=3; a name that it lacks is an error."""
    for name, value in changes.items():
        *branch, last = name.split("__")
        place = tree
        for part in branch:
            place = place[part]
        assert last in place, name
        place[last] = value
    return tree


def parameters(environment):
    return deepcopy(load(environment))


@cache
def load(environment):
    loader = OmegaConfigLoader(
        str(ROOT / "conf"),
        env=environment,
        base_env="base",
        default_run_env="local",
        merge_strategy={"parameters": "soft"},
    )
    return loader["parameters"]


def models(annotation):
    """Every option model that a type contains, itself included."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models(field.annotation)
    for part in get_args(annotation):
        yield from models(part)


@pytest.mark.parametrize("environment", [*ENVIRONMENTS, "local"])
def test_every_environment_is_valid(environment):
    assert check(parameters(environment), family_models()) == []


def test_the_models_have_no_defaults_and_refuse_unknown_names():
    for family in family_models().values():
        for model in models(family):
            assert model.model_config["extra"] == "forbid", model
            for name, field in model.model_fields.items():
                assert field.is_required(), (model, name)


def paths(model):
    """Options of a model and of those below it that name a file or folder, with what they say."""
    for part in models(model):
        for name, field in part.model_fields.items():
            if re.search(r"\b(files?|folder)\b", field.description or "") and "str" in repr(field.rebuild_annotation()):
                yield f"{part.__module__}.{part.__name__}.{name}", field


def test_every_path_may_begin_with_the_home_folder_or_a_variable(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("DATA", "/data")
    found = {name: field for family in family_models().values() for name, field in paths(family)}
    kinds = {name.rpartition(".")[2] for name in found}
    assert kinds >= {"path", "associations", "similarity", "relations", "train", "nodes", "styles"}
    for name, field in found.items():
        adapter = TypeAdapter(field.rebuild_annotation())
        for given, expanded in (("~/x/t", "/home/ada/x/t"), ("$DATA/t", "/data/t"), ("${DATA}/t", "/data/t")):
            is_mapping = name.endswith(".similarity")
            assert adapter.validate_python({"a": given} if is_mapping else given) == (
                {"a": expanded} if is_mapping else expanded
            ), name


def legal_values(model, path):
    """Names that an option may have as values; an error where the path leads nowhere."""
    name, _, rest = path.partition(".")
    annotation = model.model_fields[name].annotation
    if rest:
        (inner,) = {part for part in models(annotation) if rest.partition(".")[0] in part.model_fields}
        return legal_values(inner, rest)
    return {value for part in (annotation, *get_args(annotation)) for value in get_args(part)}


def test_what_was_renamed_leads_to_names_that_exist():
    for model in {model for family in family_models().values() for model in models(family)}:
        for old, new in getattr(model, "renamed", {}).items():
            assert old not in model.model_fields, (model, old)
            if " " not in new:
                legal_values(model, new)
        for option, values in getattr(model, "renamed_values", {}).items():
            legal = legal_values(model, option)
            assert set(values.values()) <= legal, (model, option)
            assert not set(values) & legal, (model, option)


def test_annotations_resolve_so_that_kedro_validates(caplog):
    caplog.set_level(logging.DEBUG)
    validator = ParameterValidator(register_pipelines())
    checked = validator.validate_raw_params(parameters("local"))
    assert "Could not extract type hints" not in caplog.text
    for branch in ("source", "features", "model", "training", "evaluation"):
        assert isinstance(checked["hyperbolic"][branch], BaseModel), branch


def test_the_recipes_are_there_and_differ():
    assert len(RECIPES) == 12
    assert len({str(parameters(name)["hyperbolic"]) for name in RECIPES}) == 12
    for name in RECIPES:
        chosen = Options.model_validate(parameters(name)["hyperbolic"])
        assert chosen.training.optimizer.learning_rate == chosen.training.schedule.final_learning_rate
        assert (chosen.training.max_epochs, chosen.training.sampler.num_negatives, chosen.model.dim) == (10_000, 50, 10)
        assert (chosen.training.optimizer.name == "riemannian_adam") is (name == "recipes/hyperbolic/v2_riemannian")


@pytest.fixture(scope="module")
def hominidae():
    source = Options.model_validate(parameters("local")["hyperbolic"]).source.model_copy(update=HOMINIDAE)
    built = nodes.build_taxonomy(nodes.read_source(source)["source_table"], source, ["species"], "genus")
    return built["taxa"], built["edges"], nodes.build_closure(built["edges"], source)


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_trains(hominidae, recipe, tmp_path):
    taxa, edges, closure = hominidae
    chosen = Options.model_validate(parameters(recipe)["hyperbolic"])
    features = nodes.compute_target_radii(taxa, edges, chosen.features, chosen.model, chosen.training.loss.name)
    training = chosen.training.model_copy(update={"max_epochs": 1})
    start = nodes.initialize(
        edges, features["constructed_layout"], {}, chosen.source, chosen.model, chosen.training.loss.name
    )
    trained = nodes.train(edges, closure, features["depths"], start, TrainingStore(tmp_path), chosen.model, training)
    history = trained["history"]
    assert isinstance(history, pd.DataFrame)
    row = history.iloc[0]
    assert row["learning_rate"] == training.optimizer.learning_rate
    assert row["rows_moved_per_batch"] >= row["rows_per_batch"]
    assert row["false_negatives"] > 0.0
    assert {"max_norm", "mean_norm", "fraction_outside", "max_norm_before_projection", "depth_norm_pearson"} <= set(
        row.index
    )
