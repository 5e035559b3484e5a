import json

import pytest
import torch

from terrarium.training.checkpointing.state import StateError, read_state, write_state
from terrarium.training.torch.packing import pack, unpack


def test_nested_state_survives_a_file(tmp_path):
    tree = {
        "model": {"layer.weight": torch.randn(2, 3, dtype=torch.float64), "count": torch.tensor(3)},
        "optimizer": {"state": {0: {"step": torch.tensor(1.0)}}, "groups": [{"betas": (0.9, 0.99), "fused": None}]},
        "empty": {},
        "name": "x",
    }
    packed = pack(tree)
    assert set(packed.tensors) == {"model.layer.weight", "model.count", "optimizer.state.0.step"}
    write_state(tmp_path / "s", packed)
    back = unpack(read_state(tmp_path / "s"))
    assert torch.equal(back["model"].pop("layer.weight"), tree["model"].pop("layer.weight"))
    assert repr(back) == repr(tree)


def test_unpacked_tensors_are_copies():
    packed = pack({"a": torch.ones(2)})
    unpack(packed)["a"].zero_()
    assert packed.tensors["a"].tolist() == [1.0, 1.0]


def test_an_optimizer_is_packed_whole():
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.AdamW([weight], lr=0.1)
    weight.sum().backward()
    optimizer.step()
    packed = pack(optimizer.state_dict())
    json.dumps(packed.metadata)
    assert repr(unpack(packed)) == repr(optimizer.state_dict())


def test_what_is_neither_tensor_nor_plain_is_named():
    with pytest.raises(StateError, match=r"'a\.1'.*object"):
        pack({"a": [1, object()]})
