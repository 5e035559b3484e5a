"""The encoder: layers of GINE, a readout, an embedding, and a projection for the objective.

x_i' = MLP((1 + eps) x_i + sum_j ReLU(x_j + W e_ji)), eps = 0 (Hu et al. 2020, Strategies for pre-training graph neural
networks), then batch norm, ReLU and dropout; mean, largest and sum over a graph's nodes; two linear layers.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch_geometric.nn import GINEConv, global_add_pool, global_max_pool, global_mean_pool

from terrarium.scenes.options import ModelOptions
from terrarium.scenes.training.augmentations import View

CONTEXT_LAYERS = 2
"""The layers that contexts are read from: the first messages carry raw features, the second what they became."""


class GraphBatch(NamedTuple):
    """A view as tensors."""

    x: Tensor
    edge_index: Tensor
    edge_attr: Tensor
    graph: Tensor
    graphs: int
    context: Tensor | None = None


def batch_of(view: View) -> GraphBatch:
    """The view's arrays as tensors on the CPU."""
    x, edge, edge_x, graph = (torch.from_numpy(array) for array in (view.x, view.edge, view.edge_x, view.graph))
    context = None if view.context is None else torch.from_numpy(view.context)
    return GraphBatch(x, edge, edge_x, graph, view.count, context)


class SceneEncoder(nn.Module):
    """Graphs to embeddings (g, dim), and embeddings to what the objective compares."""

    def __init__(self, node_width: int, edge_width: int, options: ModelOptions, contexts: int) -> None:
        super().__init__()
        self.options = options
        hidden, widths = options.hidden_channels, [node_width] + [options.hidden_channels] * (options.num_layers - 1)
        self.convolutions = nn.ModuleList(GINEConv(_mlp(width, hidden), edge_dim=edge_width) for width in widths)
        self.norms = nn.ModuleList(nn.BatchNorm1d(hidden) for _ in widths)
        self.dropout = nn.Dropout(options.dropout)
        read = 3 * hidden * (options.num_layers if options.jumping_knowledge == "cat" else 1)
        self.embedding = nn.Sequential(
            nn.Linear(read, options.dim), nn.ReLU(), nn.Dropout(options.dropout), nn.Linear(options.dim, options.dim)
        )
        self.projection = nn.Sequential(
            nn.Linear(options.dim, options.dim), nn.ReLU(), nn.Linear(options.dim, options.projection_dim)
        )
        self.context = nn.Linear(hidden * min(CONTEXT_LAYERS, options.num_layers), contexts) if contexts else None
        self.scale = nn.BatchNorm1d(read, affine=False) if options.output == "contexts" else nn.Identity()

    def node_states(self, batch: GraphBatch) -> list[Tensor]:
        """States of the nodes after each layer, (n, hidden) each."""
        x, states = batch.x, []
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = self.dropout(torch.relu(norm(convolution(x, batch.edge_index, batch.edge_attr))))
            states.append(x)
        return states

    def context_logits(self, states: list[Tensor]) -> Tensor:
        """Logits of the class of what is around each node (n, contexts)."""
        if self.context is None:
            raise ValueError("this encoder foretells no contexts: training.objective.context_weight was 0")
        logits: Tensor = self.context(torch.cat(states[:CONTEXT_LAYERS], dim=1))
        return logits

    def expected_contexts(self, states: list[Tensor], batch: GraphBatch) -> Tensor:
        """How many nodes of each graph are expected to have each class of surroundings (g, contexts)."""
        share = torch.softmax(self.context_logits(states), dim=1)
        return global_add_pool(share, batch.graph, batch.graphs)

    def readout(self, states: list[Tensor], batch: GraphBatch) -> Tensor:
        """Mean, largest and sum over each graph's nodes, of the last layer or of all."""
        used = states if self.options.jumping_knowledge == "cat" else states[-1:]
        pools = (global_mean_pool, global_max_pool, global_add_pool)
        return torch.cat([pool(state, batch.graph, batch.graphs) for state in used for pool in pools], dim=1)

    def embed(self, read: Tensor) -> Tensor:
        """The embedding of a readout, of length 1 where that is asked for."""
        embedding = self.embedding(read)
        return nn.functional.normalize(embedding, dim=1) if self.options.l2_normalize else embedding

    def forward(self, batch: GraphBatch) -> Tensor:
        """The embedding of each graph (g, dim)."""
        return self.embedded(self.node_states(batch), batch)

    def embedded(self, states: list[Tensor], batch: GraphBatch) -> Tensor:
        """The embedding of each graph (g, dim) by the states of its nodes."""
        read = self.readout(states, batch)
        self.scale(read)  # its statistics are for what is handed out
        return self.embed(read)

    def exported(self, batch: GraphBatch) -> Tensor:
        """What is handed out for each graph: the embedding, the readout before it, or that with contexts."""
        states = self.node_states(batch)
        read = self.readout(states, batch)
        if self.options.output == "contexts":
            halves = (self.expected_contexts(states, batch).sqrt(), self.scale(read))
            return torch.cat([nn.functional.normalize(half, dim=1) for half in halves], dim=1)
        return read if self.options.output == "readout" else self.embed(read)


def make_encoder(node_width: int, edge_width: int, options: ModelOptions, seed: int, contexts: int = 0) -> SceneEncoder:
    """A new encoder; the same seed gives the same weights, whatever the global generator is at."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SceneEncoder(node_width, edge_width, options, contexts)


def _mlp(width: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, hidden))
