"""The encoder: GINE layers, a readout, an embedding, and a projection for the objective.

x_i' = MLP((1 + eps) x_i + sum_j ReLU(x_j + W e_ji)) with eps = 0 (Hu et al. 2020, Strategies for pre-training graph
neural networks), then batch norm, ReLU and dropout; mean, maximum and sum over a graph's nodes; two linear layers.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch_geometric.nn import GINEConv, global_add_pool, global_max_pool, global_mean_pool

from terrarium.scenes.graphs.views import View
from terrarium.scenes.options import ModelOptions
from terrarium.training.torch.seeding import seeded

CONTEXT_LAYERS = 2
"""Contexts are predicted from the first two layers: one iteration of labels needs no more."""


class GraphBatch(NamedTuple):
    """A view as tensors; see `View`."""

    x: Tensor
    edge_index: Tensor
    edge_attr: Tensor
    graph: Tensor
    num_graphs: int
    context: Tensor | None = None


def batch_of(view: View) -> GraphBatch:
    """Return the view's arrays as tensors on the CPU."""
    x, edge, edge_x, graph = (torch.from_numpy(array) for array in (view.x, view.edge, view.edge_x, view.graph))
    context = None if view.context is None else torch.from_numpy(view.context)
    return GraphBatch(x, edge, edge_x, graph, view.num_graphs, context)


class SceneEncoder(nn.Module):
    """Map graphs to embeddings (graphs, dim), and embeddings to what the objective compares.

    Args:
        node_width, edge_width: number of features of nodes and edges.
        options: of the model.
        contexts: number of context classes to predict; 0 predicts none.

    Attributes:
        is_shared: whether several processes train it, each on a part of every batch.
    """

    def __init__(self, node_width: int, edge_width: int, options: ModelOptions, contexts: int) -> None:
        super().__init__()
        self.options = options
        self.is_shared = False
        hidden, dim = options.hidden_channels, options.dim
        widths = [node_width] + [hidden] * (options.num_layers - 1)
        self.convolutions = nn.ModuleList(GINEConv(_mlp(width, hidden), edge_dim=edge_width) for width in widths)
        self.norms = nn.ModuleList(nn.BatchNorm1d(hidden) for _ in widths)
        self.dropout = nn.Dropout(options.dropout)
        read = 3 * hidden * (options.num_layers if options.jumping_knowledge == "cat" else 1)
        self.embedding = nn.Sequential(
            nn.Linear(read, dim), nn.ReLU(), nn.Dropout(options.dropout), nn.Linear(dim, dim)
        )
        self.projection = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, options.projection_dim))
        self.context = nn.Linear(hidden * min(CONTEXT_LAYERS, options.num_layers), contexts) if contexts else None

    def forward(self, batch: GraphBatch) -> Tensor:
        """Return the embedding of each graph (graphs, dim)."""
        return self.embed(self.node_states(batch), batch)

    def node_states(self, batch: GraphBatch) -> list[Tensor]:
        """Return the states of the nodes after each layer, (n, hidden_channels) each."""
        x, states = batch.x, []
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = self.dropout(torch.relu(norm(convolution(x, batch.edge_index, batch.edge_attr))))
            states.append(x)
        return states

    def embed(self, states: list[Tensor], batch: GraphBatch) -> Tensor:
        """Return the embedding of each graph (graphs, dim) from the states of its nodes."""
        return self.embed_readout(self.readout(states, batch))

    def output(self, batch: GraphBatch) -> Tensor:
        """Return the vector of each graph that the encoder exports: its embedding, or else its readout."""
        read = self.readout(self.node_states(batch), batch)
        return self.embed_readout(read) if self.options.output == "embedding" else read

    def readout(self, states: list[Tensor], batch: GraphBatch) -> Tensor:
        """Return mean, maximum and sum over each graph's nodes, of the last layer or of all."""
        used = states if self.options.jumping_knowledge == "cat" else states[-1:]
        pools = (global_mean_pool, global_max_pool, global_add_pool)
        return torch.cat([pool(state, batch.graph, batch.num_graphs) for state in used for pool in pools], dim=1)

    def embed_readout(self, read: Tensor) -> Tensor:
        """Return the embedding of a readout."""
        embedding = self.embedding(read)
        return nn.functional.normalize(embedding, dim=1) if self.options.l2_normalize else embedding

    def context_logits(self, states: list[Tensor]) -> Tensor:
        """Return the logits of each node's context class (n, contexts)."""
        if self.context is None:
            raise ValueError("this encoder predicts no contexts: training.loss.context_weight was 0")
        logits: Tensor = self.context(torch.cat(states[:CONTEXT_LAYERS], dim=1))
        return logits


def make_encoder(node_width: int, edge_width: int, options: ModelOptions, seed: int, contexts: int = 0) -> SceneEncoder:
    """Build an encoder; the same seed gives the same weights and leaves the global generator as it is.

    Args:
        node_width, edge_width: numbers of features.
        options: layers and dimensions.
        seed: seed of the initial weights.
        contexts: number of context classes to predict; 0 for none.
    """
    with seeded(seed):
        return SceneEncoder(node_width, edge_width, options, contexts)


def _mlp(width: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, hidden))
