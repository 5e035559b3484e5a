"""Embeddings of graphs by an encoder: trained, or as it was drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from terrarium.scenes.graphs.columns import Graphs
from terrarium.scenes.graphs.features import NODE_WIDTH, Encoding, encode
from terrarium.scenes.options import ModelOptions
from terrarium.scenes.training.augmentations import View, plain_view
from terrarium.training.checkpointing.state import State

if TYPE_CHECKING:
    from terrarium.scenes.models.encoder import SceneEncoder

CHUNK = 1024
"""Graphs embedded at once."""


def embed_graphs(weights: State, graphs: Graphs, rows: np.ndarray | None = None) -> np.ndarray:
    """Embeddings of some graphs, all by default, float32 (g, ·); without dropout, batch by batch to the same bits."""
    chosen = np.arange(len(graphs)) if rows is None else rows
    nodes, edges = encode(graphs, Encoding(**weights.metadata["encoding"]))
    views = (plain_view(graphs, nodes, edges, part) for part in np.split(chosen, range(CHUNK, len(chosen), CHUNK)))
    return np.concatenate([embed_view(weights, view) for view in views])


def embed_view(weights: State, view: View) -> np.ndarray:
    """Embeddings of the graphs of a view, float32 (g, ·)."""
    import torch

    from terrarium.scenes.models.encoder import batch_of

    with torch.no_grad():
        return load_encoder(weights).exported(batch_of(view)).numpy()


def node_vectors(weights: State, graphs: Graphs) -> np.ndarray:
    """States of all road users after the first layers, side by side, float32 (n, ·)."""
    import torch

    from terrarium.scenes.models.encoder import CONTEXT_LAYERS, batch_of

    encoder = load_encoder(weights)
    nodes, edges = encode(graphs, Encoding(**weights.metadata["encoding"]))
    parts = []
    for rows in np.split(np.arange(len(graphs)), range(CHUNK, len(graphs), CHUNK)):
        with torch.no_grad():
            states = encoder.node_states(batch_of(plain_view(graphs, nodes, edges, rows)))
        parts.append(torch.cat(states[:CONTEXT_LAYERS], dim=1).numpy())
    return np.concatenate(parts)


def load_encoder(weights: State) -> SceneEncoder:
    """The encoder of the weights, without dropout."""
    import torch

    encoder = _as_drawn(weights, 0)
    encoder.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in weights.tensors.items()})
    return encoder.eval()


def random_weights(weights: State, graphs: Graphs, rows: np.ndarray, seed: int) -> State:
    """Weights of the same shape as they are drawn, whose batch norms have seen some graphs once."""
    import torch

    from terrarium.scenes.models.encoder import batch_of

    encoder = _as_drawn(weights, seed)
    for module in encoder.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.momentum = None
    view = plain_view(graphs, *encode(graphs, Encoding(**weights.metadata["encoding"])), rows)
    with torch.no_grad():
        encoder.train()
        encoder(batch_of(view))
    tensors = {name: tensor.detach().numpy().copy() for name, tensor in encoder.state_dict().items()}
    return State(tensors, weights.metadata)


def _as_drawn(weights: State, seed: int) -> SceneEncoder:
    from terrarium.scenes.models.encoder import make_encoder

    width = Encoding(**weights.metadata["encoding"]).edge_width
    model = ModelOptions(**weights.metadata["model"])
    return make_encoder(NODE_WIDTH, width, model, seed, weights.metadata["contexts"])
