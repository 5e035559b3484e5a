import json

import pytest
import torch

from terrarium.kge.training.run_config import run_config
from tests.kge.graphs import graph, options


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (False, False, False)),
        ({"precision": "mixed", "memory__cleanup": True}, (True, False, True)),
        ({"precision": "bf16-mixed", "memory__gradient_checkpointing": True}, (True, True, False)),
    ],
)
def test_the_config_names_the_optimisations_and_fills_in_the_sides(changes, expected, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    chosen = options(**{f"training__{name}": value for name, value in changes.items()})
    written = run_config(graph(), chosen.model, chosen.training)
    names = ("use_mixed_precision", "use_gradient_checkpointing", "enable_memory_cleanup")
    assert written["optimizations"] == dict(zip(names, expected, strict=True))
    assert (written["model"]["embedding_height"], written["model"]["embedding_width"]) == (4, 4)
    assert written["data"]["train_triples"] == 92
    json.dumps(written)
