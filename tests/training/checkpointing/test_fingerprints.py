import pytest

from terrarium.common.options import Options
from terrarium.training.checkpointing.fingerprints import (
    differences,
    differs_in_length_only,
    digest,
    training_fingerprint,
)
from terrarium.training.options import ScheduledFitOptions


def test_digest_ignores_the_order_of_keys_and_sees_every_value():
    assert digest({"a": 1, "b": {"c": 2, "d": 3}}) == digest({"b": {"d": 3, "c": 2}, "a": 1})
    assert digest({"a": 1}) != digest({"a": 1.5})
    assert digest({"a": [1, 2]}) != digest({"a": [2, 1]})
    with pytest.raises(TypeError):
        digest({"a": object()})


def test_differences_name_the_keys():
    old = {"data": "x", "training": {"rate": 0.1, "dim": 5, "old": True}}
    new = {"data": "x", "training": {"rate": 0.2, "dim": 5}, "seed": 1}
    assert differences(old, new) == "training.rate 0.1 -> 0.2, training.old true -> (absent), seed (absent) -> 1"
    assert differences(old, old) == ""


def test_long_differences_are_cut():
    assert differences({}, {f"k{i}": i for i in range(20)}).endswith("k7 (absent) -> 7 and 12 more")


class Model(Options):
    dim: int


class Training(Options):
    seed: int
    checkpoints: int
    memory_limit_gb: int


def test_a_training_is_told_by_data_and_options_that_decide_its_result():
    model, training = Model(dim=5), Training(seed=1, checkpoints=2, memory_limit_gb=3)
    assert training_fingerprint(
        data="ab12", model=model, training=training, exclude={"memory_limit_gb"}, evaluation="full"
    ) == {"data": "ab12", "model": {"dim": 5}, "training": {"seed": 1}, "evaluation": "full"}
    by_name = training_fingerprint(data={"taxa": "ab12"}, model=model, training=training)
    assert by_name["data"] == {"taxa": "ab12"}
    assert by_name["training"] == {"seed": 1, "memory_limit_gb": 3}


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"data": 1, "training": {"max_epochs": 9, "rate": 0.1}}, True),
        ({"data": 1, "training": {"max_epochs": 5, "rate": 0.1}}, False),
        ({"data": 2, "training": {"max_epochs": 9, "rate": 0.1}}, False),
        ({"data": 1, "training": {"max_epochs": 9, "rate": 0.2}}, False),
        ({"data": 1, "training": None}, False),
        ({}, False),
    ],
)
def test_only_the_length_may_differ(other, expected):
    assert differs_in_length_only({"data": 1, "training": {"max_epochs": 5, "rate": 0.1}}, other) == expected


SCHEDULED = {
    "stopping": {"patience": 0, "min_delta": 0.0, "metric": "loss", "direction": "min"},
    "checkpoints": {"keep_last": 1, "keep_every": 0, "retrain": False},
}


@pytest.mark.parametrize(("length", "goes_on"), [(None, False), (5, True), (9, False)])
def test_a_schedule_of_another_length_is_another_training(length, goes_on):
    """Raising max_epochs goes on if the schedule stays as long as it was."""
    short = ScheduledFitOptions(max_epochs=5, schedule_epochs=None, **SCHEDULED)
    long = ScheduledFitOptions(max_epochs=9, schedule_epochs=length, **SCHEDULED)
    fingerprints = [training_fingerprint(data=1, model=Model(dim=5), training=each) for each in (short, long)]
    assert differs_in_length_only(*fingerprints) == goes_on
