import json

import numpy as np

from terrarium.hooks.process.machine import describe_libraries, describe_machine


def test_the_machine_is_described_in_json(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    described = describe_machine()
    assert described["cpu"]
    assert described["cores"] >= 1
    assert described["environment"]["OMP_NUM_THREADS"] == "3"
    assert json.loads(json.dumps(described)) == described


def test_loaded_libraries_have_versions_and_threads():
    import torch

    np.linalg.inv(np.eye(2))
    libraries = describe_libraries()
    assert libraries["torch"]["version"] == torch.__version__
    assert libraries["torch"]["threads"] == torch.get_num_threads()
    assert any(found.get("kind") in {"openblas", "mkl", "blis"} for found in libraries.values())
    assert json.loads(json.dumps(libraries)) == libraries
