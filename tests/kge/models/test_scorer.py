import numpy as np
import pytest
import torch

from terrarium.kge.models.scorer import (
    WrongWeightsError,
    build_scorer,
    complex_query,
    compute_moduli,
    distmult_query,
    export_scorer,
    load_scorer,
    score_entities,
)
from terrarium.training.checkpointing.fingerprints import MismatchedArtifactsError
from terrarium.training.checkpointing.state import State
from tests.kge.graphs import options


def made(**changes):
    return build_scorer(options(**changes).model, 12, 3)


def test_complex_is_the_real_part_of_the_complex_product():
    torch.manual_seed(0)
    parts = [torch.randn(4, 6, dtype=torch.float64) for _ in range(3)]
    h, r, t = (torch.complex(*part.chunk(2, dim=1)) for part in parts)
    expected = (h * r * t.conj()).sum(1).real
    assert torch.allclose((complex_query(parts[0], parts[1]) * parts[2]).sum(1), expected)
    assert torch.allclose(compute_moduli(parts[0], "complex"), h.abs())


def test_distmult_is_symmetric_and_complex_is_not():
    h, r, t = torch.randn(3, 1, 6)
    assert torch.allclose((distmult_query(h, r) * t).sum(), (distmult_query(t, r) * h).sum())
    assert not torch.allclose((complex_query(h, r) * t).sum(), (complex_query(t, r) * h).sum())


def test_conve_is_its_papers_formula():
    """f(vec(f([h; r] * filters)) W) with plain loops, in evaluation."""
    model = made(model__dim=6, model__embedding_height=2, model__kernel_height=2, model__kernel_width=2).eval()
    encoder = model.encoder
    with torch.no_grad():
        for norm in (encoder.input_norm, encoder.map_norm, encoder.output_norm):
            norm.running_mean.uniform_(-0.5, 0.5)
            norm.running_var.uniform_(0.5, 1.5)
        found = model(torch.tensor([3]), torch.tensor([1]))[0].numpy()

    def norm(x, layer, channel=slice(None)):
        mean, var = layer.running_mean.numpy()[channel], layer.running_var.numpy()[channel]
        return (x - mean) / np.sqrt(var + layer.eps)

    image = np.vstack([t.detach().numpy().reshape(2, 3) for t in (model.entity.weight[3], model.relation.weight[1])])
    image = norm(image, encoder.input_norm, 0)
    filters, shift = encoder.convolution.weight.detach().numpy(), encoder.convolution.bias.detach().numpy()
    maps = [
        norm(
            np.array([[(image[i : i + 2, j : j + 2] * f[0]).sum() + b for j in range(2)] for i in range(3)]),
            encoder.map_norm,
            k,
        )
        for k, (f, b) in enumerate(zip(filters, shift, strict=True))
    ]
    hidden = encoder.projection.weight.detach().numpy() @ np.maximum(maps, 0).ravel()
    hidden = norm(hidden + encoder.projection.bias.detach().numpy(), encoder.output_norm)
    assert np.allclose(found, np.maximum(hidden, 0), atol=1e-5)


def test_width_and_height_are_one_network_up_to_the_order_of_coordinates():
    """A transposed image with a transposed kernel gives transposed maps."""
    shape = {"model__dim": 6, "model__output_channels": 1, "model__kernel_height": 2, "model__kernel_width": 2}
    wide = made(**shape, model__embedding_height=2, model__stack_axis="width").eval()
    high = made(**shape, model__embedding_height=3, model__stack_axis="height").eval()
    order = torch.arange(6).view(2, 3).T.flatten()
    with torch.no_grad():
        high.load_state_dict(wide.state_dict())
        high.entity.weight.copy_(wide.entity.weight[:, order])
        high.relation.weight.copy_(wide.relation.weight[:, order])
        high.encoder.convolution.weight.copy_(wide.encoder.convolution.weight.transpose(2, 3))
        asked = torch.arange(4), torch.tensor([0, 1, 2, 0])
        assert torch.allclose(wide(*asked), high(*asked), atol=1e-6)


@pytest.mark.parametrize("kind", ["conve", "complex", "distmult"])
@pytest.mark.parametrize("reciprocal", [True, False])
def test_weights_describe_themselves(kind, reciprocal):
    model = made(model__name=kind, model__inverse_relations=reciprocal, model__entity_bias=reciprocal).eval()
    again = load_scorer(export_scorer(model, "graph"), "graph")
    asked = torch.arange(5), torch.zeros(5, dtype=torch.long)
    with torch.no_grad():
        assert torch.equal(model(*asked), again(*asked))
        assert score_entities(model(*asked), model.entity.weight, model.bias).shape == (5, 12)
    assert len(model.relation.weight) == (6 if reciprocal else 3)
    assert (model.bias is not None) is reciprocal


def test_other_weights_are_refused():
    with pytest.raises(WrongWeightsError, match="not a scorer's weights"):
        load_scorer(State({}, {}))
    with pytest.raises(MismatchedArtifactsError, match="another graph or another split"):
        load_scorer(export_scorer(made(), "one"), "other")
    state = export_scorer(made(), "one")
    with pytest.raises(WrongWeightsError, match="not a scorer's weights"):
        load_scorer(State(state.tensors, {**state.metadata, "format": "hyperbolic"}))
    with pytest.raises(WrongWeightsError, match="earlier version: train again"):
        load_scorer(State(state.tensors, {**state.metadata, "model": {"scorer": "conve"}}))


def test_the_seed_alone_decides_the_start_and_nothing_else_is_drawn():
    before = torch.get_rng_state()
    first, again, other = made(), made(), made(model__seed=5)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first.entity.weight, again.entity.weight)
    assert not torch.equal(first.entity.weight, other.entity.weight)


def test_dropouts_act_in_training():
    for changes in ({"input_dropout": 0.9}, {"output_dropout": 0.9}, {"feature_map_dropout": 0.9}):
        none = {f"model__{name}": 0.0 for name in ("input_dropout", "output_dropout", "feature_map_dropout")}
        model = made(**none | {f"model__{name}": value for name, value in changes.items()}).train()
        asked = torch.arange(8), torch.zeros(8, dtype=torch.long)
        assert not torch.equal(model(*asked), model(*asked)), changes
