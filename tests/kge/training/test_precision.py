import logging

import pytest
import torch

from terrarium.kge.training import memory
from terrarium.kge.training.memory import CacheCleanup
from terrarium.kge.training.precision import autocast_context, cast_model, log_device, resolve_precision
from terrarium.training.torch.device import DeviceError


@pytest.fixture
def gpu(monkeypatch):
    """A machine that says it has a GPU of a given compute capability."""

    def pretend(capability):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda *_: capability)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda *_: "A GPU")

    return pretend


@pytest.mark.parametrize(
    ("flags", "used"),
    [
        ({"avx512_f": True, "avx512_bf16": True, "amx_bf16": False}, "bf16-mixed"),
        ({"avx512_f": True, "avx512_bf16": False, "amx_bf16": True}, "bf16-mixed"),
        ({"avx512_f": True, "avx512_bf16": False, "cpu_name": "A CPU"}, "32-true"),
    ],
)
def test_mixed_is_bf16_only_on_a_cpu_that_has_instructions_for_it(monkeypatch, caplog, flags, used):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: flags)
    assert resolve_precision("mixed", "cpu") == used
    caplog.set_level(logging.INFO)
    log_device("cpu", "mixed")
    assert f"precision {used}" in caplog.text
    assert ("has no bf16 instructions" in caplog.text) == (used == "32-true")


def test_mixed_is_fp16_on_a_gpu(gpu):
    assert resolve_precision("32-true", "cpu") == "32-true"
    gpu((8, 0))
    assert resolve_precision("mixed", "auto") == "16-mixed"


def test_scores_are_computed_in_the_precision_asked_for():
    ones = torch.ones(2, 2)
    with autocast_context("bf16-mixed", "cpu"):
        assert (ones @ ones).dtype == torch.bfloat16
    with autocast_context("32-true", "cpu"):
        assert (ones @ ones).dtype == torch.float32
    with pytest.raises(DeviceError, match="16-mixed needs a GPU"):
        autocast_context("16-mixed", "cpu")
    assert cast_model(torch.nn.Linear(1, 1), "64-true").weight.dtype == torch.float64


@pytest.mark.parametrize(
    ("capability", "precision", "level", "text"),
    [
        ((8, 0), "mixed", logging.INFO, "A GPU, compute capability 8.0, precision 16-mixed; fp16 and its tensor cores"),
        ((6, 1), "16-mixed", logging.WARNING, "below 7.0 there are no tensor cores"),
        ((6, 1), "32-true", logging.INFO, "below 7.0 fp16 would hardly be faster"),
    ],
)
def test_the_log_says_whether_fp16_can_pay(gpu, caplog, capability, precision, level, text):
    caplog.set_level(logging.INFO)
    gpu(capability)
    log_device("cuda", precision)
    assert text in caplog.text
    assert caplog.records[-1].levelno == level


def test_the_cache_is_emptied_at_intervals_and_what_it_gave_is_counted(monkeypatch):
    reserved = iter([10e6, 4e6, 8e6, 8e6])
    emptied = []
    monkeypatch.setattr(memory.torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(memory.torch.cuda, "memory_reserved", lambda: next(reserved))
    monkeypatch.setattr(memory.torch.cuda, "empty_cache", lambda: emptied.append(1))
    cleanup = CacheCleanup(3)
    for _ in range(8):
        cleanup.after_batch()
    assert len(emptied) == 2
    assert cleanup.released_mb == 6.0
    CacheCleanup(0).after_batch()
