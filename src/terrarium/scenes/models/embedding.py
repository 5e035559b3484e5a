"""Embeddings of graphs by an encoder, trained or with random weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from terrarium.scenes.graphs.columns import Graphs
from terrarium.scenes.graphs.features import NODE_WIDTH, Encoding
from terrarium.scenes.graphs.views import View, encode_graphs
from terrarium.scenes.models.graphlets import counter_of, encoder_tensors
from terrarium.scenes.options import ModelOptions
from terrarium.training.checkpointing.state import State

if TYPE_CHECKING:
    from terrarium.scenes.models.encoder import SceneEncoder

CHUNK = 1024
"""Graphs embedded at once."""


def embed_graphs(weights: State, graphs: Graphs, rows: np.ndarray | None = None) -> np.ndarray:
    """Embed graphs as `ModelOptions.output` says; the vector of a graph does not depend on the others.

    Args:
        weights: of an encoder, with its options and encoding, and of a graphlet counter if that is the output.
        graphs: all graphs.
        rows: graphs to embed, all by default.

    Returns:
        float32 (graphs, d).
    """
    if weights.metadata["model"]["output"] == "graphlets":
        vectors = counter_of(weights.tensors).vectors(graphs)
        return vectors if rows is None else vectors[rows]
    return np.concatenate([embed_view(weights, view) for view in _views(weights, graphs, rows)])


def encoder_weights(weights: State) -> State:
    """Return the weights of the encoder alone; where graphlets are the output, it hands out its readout."""
    metadata = dict(weights.metadata)
    if metadata["model"]["output"] == "graphlets":
        metadata["model"] = metadata["model"] | {"output": "readout"}
    return State(encoder_tensors(weights.tensors), metadata)


def embed_view(weights: State, view: View) -> np.ndarray:
    """Embed the graphs of a view with an encoder and without dropout, float32 (graphs, d)."""
    import torch

    from terrarium.scenes.models.encoder import batch_of

    with torch.no_grad():
        return load_encoder(weights).output(batch_of(view)).numpy()


def embed_nodes(weights: State, graphs: Graphs) -> np.ndarray:
    """Return the hidden states of all nodes after the first `CONTEXT_LAYERS` layers, side by side, float32 (n, ·)."""
    import torch

    from terrarium.scenes.models.encoder import CONTEXT_LAYERS, batch_of

    encoder = load_encoder(weights)
    chunks = []
    for view in _views(weights, graphs):
        with torch.no_grad():
            states = encoder.node_states(batch_of(view))
        chunks.append(torch.cat(states[:CONTEXT_LAYERS], dim=1).numpy())
    return np.concatenate(chunks)


def load_encoder(weights: State) -> SceneEncoder:
    """Return the encoder of the weights in evaluation mode."""
    import torch

    encoder = _initial_encoder(weights, 0)
    tensors = encoder_tensors(weights.tensors)
    encoder.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in tensors.items()})
    return encoder.eval()


def random_weights(weights: State, graphs: Graphs, rows: np.ndarray, seed: int) -> State:
    """Return initial weights of the same shape, with the batch norm statistics of some graphs.

    Args:
        weights: of the encoder to imitate.
        graphs: all graphs.
        rows: graphs that the batch norms take their statistics from.
        seed: of the weights.
    """
    import torch

    from terrarium.scenes.models.encoder import batch_of

    encoder = _initial_encoder(weights, seed)
    for module in encoder.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.momentum = None
    view = encode_graphs(graphs, _encoding(weights)).view(rows)
    with torch.no_grad():
        encoder.train()
        encoder(batch_of(view))
    tensors = {name: tensor.detach().numpy().copy() for name, tensor in encoder.state_dict().items()}
    return State(tensors, encoder_weights(weights).metadata)


def _views(weights: State, graphs: Graphs, rows: np.ndarray | None = None) -> Iterator[View]:
    chosen = np.arange(len(graphs)) if rows is None else rows
    encoded = encode_graphs(graphs, _encoding(weights))
    for chunk in np.split(chosen, range(CHUNK, len(chosen), CHUNK)):
        yield encoded.view(chunk)


def _encoding(weights: State) -> Encoding:
    return Encoding(**weights.metadata["encoding"])


def _initial_encoder(weights: State, seed: int) -> SceneEncoder:
    from terrarium.scenes.models.encoder import make_encoder

    model = ModelOptions(**weights.metadata["model"])
    return make_encoder(NODE_WIDTH, _encoding(weights).edge_width, model, seed, weights.metadata["contexts"])
