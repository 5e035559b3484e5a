import pytest

from terrarium.hooks.parameters import check, family_models
from terrarium.scenes import options as module
from tests.test_parameters import parameters

MODELS = {
    "source": module.SourceOptions,
    "source.simulator": module.SimulatorOptions,
    "source.simulator.variants.real": module.VariantOptions,
    "features": module.FeatureOptions,
    "features.graphs": module.GraphOptions,
    "model": module.ModelOptions,
    "training.augmentation": module.AugmentationOptions,
    "training.objective": module.ObjectiveOptions,
    "training.schedule": module.ScheduleOptions,
    "evaluation": module.EvaluationOptions,
    "evaluation.augmentation": module.AugmentationOptions,
    "evaluation.coverage": module.CoverageOptions,
    "reporting": module.ReportingOptions,
    "tu": module.TUOptions,
}
RENAMED = [(block, old, new) for block, model in MODELS.items() for old, new in model.renamed.items()]


@pytest.mark.parametrize(("block", "old", "new"), RENAMED, ids=[f"{block}.{old}" for block, old, _ in RENAMED])
def test_an_old_name_is_refused_with_the_new_one(block, old, new):
    tree = parameters("local")
    branch = tree["scenes"]
    for name in block.split("."):
        branch = branch[name]
    branch[old] = 1
    faults = check({"scenes": tree["scenes"]}, {"scenes": family_models()["scenes"]})
    assert faults == [f"scenes.{block}.{old} was renamed: use scenes.{block}.{new}"]
    assert new.split(":")[0] in branch


def test_every_option_is_described():
    for model in MODELS.values():
        for name, field in model.model_fields.items():
            nested = hasattr(field.annotation, "model_fields")
            assert field.description or nested, (model, name)
