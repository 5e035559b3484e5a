"""Parameters: files and models agree, defaults stand in one place, and annotations reach Kedro."""

import logging

import pytest
from kedro.config import OmegaConfigLoader
from kedro.validation.parameter_validator import ParameterValidator
from pydantic import BaseModel

from terrarium.hooks.parameters import check, family_models
from terrarium.pipeline_registry import register_pipelines
from tests.project import ROOT

ENVIRONMENTS = sorted(
    path.name for path in (ROOT / "conf").iterdir() if path.is_dir() and path.name not in {"base", "local"}
)


def parameters(environment):
    loader = OmegaConfigLoader(
        str(ROOT / "conf"),
        env=environment,
        base_env="base",
        default_run_env="local",
        merge_strategy={"parameters": "soft"},
    )
    return loader["parameters"]


def models(model):
    yield model
    for field in model.model_fields.values():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from models(field.annotation)


@pytest.mark.parametrize("environment", [*ENVIRONMENTS, "local"])
def test_every_environment_is_valid(environment):
    assert check(parameters(environment), family_models()) == []


def test_the_models_have_no_defaults_and_refuse_unknown_names():
    for family in family_models().values():
        for model in models(family):
            assert model.model_config["extra"] == "forbid", model
            for name, field in model.model_fields.items():
                assert field.is_required(), (model, name)


def test_annotations_resolve_so_that_kedro_validates(caplog):
    caplog.set_level(logging.DEBUG)
    validator = ParameterValidator(register_pipelines())
    checked = validator.validate_raw_params(parameters("local"))
    assert "Could not extract type hints" not in caplog.text
    for branch in ("source", "features", "model", "training", "evaluation", "reporting"):
        assert isinstance(checked["hyperbolic"][branch], BaseModel), branch
