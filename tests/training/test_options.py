import pytest
from pydantic import ValidationError

from terrarium.training.options import CheckpointOptions, FitOptions, StoppingOptions, TorchOptions

STOPPING = {"patience": 3, "min_delta": 0.0, "metric": "loss", "direction": "min"}
CHECKPOINTS = {"keep_last": 5, "keep_every": 0, "retrain": False}
FIT = {"max_epochs": 0, "stopping": STOPPING, "checkpoints": CHECKPOINTS}
TORCH = {"device": "cpu", "precision": "64-true", "clip_norm": 0.0}
MODELS = [(StoppingOptions, STOPPING), (CheckpointOptions, CHECKPOINTS), (FitOptions, FIT), (TorchOptions, TORCH)]


@pytest.mark.parametrize(("model", "values"), MODELS)
def test_there_are_no_defaults_and_no_unknown_keys(model, values):
    model.model_validate(values)
    with pytest.raises(ValidationError):
        model.model_validate({**values, "surprise": 1})
    for key in values:
        with pytest.raises(ValidationError):
            model.model_validate({name: value for name, value in values.items() if name != key})


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (StoppingOptions, {**STOPPING, "patience": -1}),
        (StoppingOptions, {**STOPPING, "min_delta": float("nan")}),
        (StoppingOptions, {**STOPPING, "direction": "down"}),
        (CheckpointOptions, {**CHECKPOINTS, "keep_last": 0}),
        (FitOptions, {**FIT, "max_epochs": -1}),
        (TorchOptions, {**TORCH, "precision": "8"}),
        (TorchOptions, {**TORCH, "clip_norm": -1.0}),
    ],
)
def test_impossible_values_are_errors(model, values):
    with pytest.raises(ValidationError):
        model.model_validate(values)
