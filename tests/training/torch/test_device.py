import pytest
import torch

from terrarium.training.torch.device import DeviceError, check_precision, resolve_device


def pretend(monkeypatch, cuda: int = 0, mps: bool = False) -> None:
    """Let torch report `cuda` CUDA devices and Metal or none."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("name", "cuda", "mps", "resolved"),
    [
        ("auto", 0, False, "cpu"),
        ("auto", 0, True, "cpu"),
        ("auto", 2, True, "cuda"),
        ("cpu", 2, True, "cpu"),
        ("cuda", 1, False, "cuda"),
        ("cuda:1", 2, False, "cuda:1"),
        ("mps", 0, True, "mps"),
    ],
)
def test_names_are_resolved(monkeypatch, name, cuda, mps, resolved):
    pretend(monkeypatch, cuda, mps)
    assert resolve_device(name) == resolved


@pytest.mark.parametrize(
    ("name", "cuda", "words"),
    [
        ("gpu", 1, "Unknown device 'gpu'"),
        ("cuda:", 1, "Unknown device"),
        ("-1", 1, "Unknown device"),
        ("cuda", 0, "torch sees 0 CUDA"),
        ("cuda:1", 1, "torch sees 1 CUDA"),
        ("mps", 1, "Metal"),
    ],
)
def test_what_is_not_there_is_an_error(monkeypatch, name, cuda, words):
    pretend(monkeypatch, cuda)
    with pytest.raises(DeviceError, match=words):
        resolve_device(name)


def test_precision_must_exist_on_the_device():
    check_precision("cpu", "bf16-mixed")
    check_precision("cuda:0", "16-mixed")
    with pytest.raises(DeviceError, match="16-mixed needs a GPU"):
        check_precision("cpu", "16-mixed")
    with pytest.raises(DeviceError, match="64-true"):
        check_precision("mps", "64-true")
