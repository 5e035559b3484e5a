from dataclasses import replace

import numpy as np
import pytest
import torch

from terrarium.scenes.models.encoder import batch_of, make_encoder
from tests.scenes.scenery import options, problem
from tests.scenes.trainers import make


def test_contexts_are_learnt():
    trainer, _ = make(training__optimizer__learning_rate=0.01, training__max_epochs=12)
    for epoch in range(1, 13):
        trainer.epoch(epoch)
    encoder, given = trainer.objective.encoder.eval(), trainer._problem
    batch = batch_of(given.graphs.view(given.train))
    with torch.no_grad():
        states = encoder.node_states(batch)
    known = batch.context >= 0
    hits = encoder.context_logits(states).argmax(dim=1)[known] == batch.context[known]
    most = torch.bincount(batch.context[known]).max() / known.sum()
    assert hits.float().mean() > most + 0.1


def test_contexts_that_an_encoder_does_not_know_are_told():
    trainer, _ = make(training__loss__context_weight=0.0, model__output="readout")
    with pytest.raises(ValueError, match="context_weight was 0"):
        trainer.objective.encoder.context_logits([])


@pytest.mark.parametrize("width", [16, 8])
def test_the_projection_has_its_dimension(width):
    assert make(model__projection_dim=width)[0].objective.encoder.projection[-1].out_features == width


def test_the_encoder_does_not_see_the_order_of_nodes():
    given, chosen = problem(options()), options()
    encoder = make_encoder(*given.widths, chosen.model, 0).eval()
    view = given.graphs.view(np.arange(5))
    order = np.random.default_rng(0).permutation(len(view.x))
    place = np.argsort(order)
    turned = replace(view, x=view.x[order], graph=view.graph[order], edge=place[view.edge])
    with torch.no_grad():
        assert torch.allclose(encoder(batch_of(view)), encoder(batch_of(turned)), atol=1e-5)


def test_a_layer_is_gine():
    """x' = MLP(x + sum of ReLU(neighbour + W edge)), by hand."""
    given, chosen = problem(options()), options()
    encoder = make_encoder(*given.widths, chosen.model, 0).eval()
    batch = batch_of(given.graphs.view(np.arange(5)))
    layer = encoder.convolutions[0]
    messages = torch.relu(batch.x[batch.edge_index[0]] + layer.lin(batch.edge_attr))
    summed = torch.zeros_like(batch.x).index_add_(0, batch.edge_index[1], messages)
    with torch.no_grad():
        assert torch.allclose(layer(batch.x, batch.edge_index, batch.edge_attr), layer.nn(batch.x + summed), atol=1e-5)
