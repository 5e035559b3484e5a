"""Training objectives behind one interface: two views of the same graphs give a loss.

A new objective is a subclass of `Objective`, a line in `make_objective` and a name in `LossOptions`.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor, distributed, nn
from torch_geometric.nn import GINEConv

from terrarium.scenes.models.encoder import GraphBatch, SceneEncoder
from terrarium.scenes.options import LossOptions
from terrarium.scenes.training.losses import bootstrap, info_nce, nt_xent, vicreg
from terrarium.training.torch.exchange import gather_rows, sum_over_processes
from terrarium.training.torch.seeding import seeded


class TrainingBatch(NamedTuple):
    """What an objective compares.

    Attributes:
        first, second: views of the same graphs.
        same_scene: pairs of graphs that are no negatives of each other, bool (graphs, graphs); None if all are.
        masked: nodes of the first view whose features an objective may hide, bool (n,).
    """

    first: GraphBatch
    second: GraphBatch
    same_scene: Tensor | None
    masked: Tensor


class EncodedView:
    """A view and its encoding, computed once at first use: batch norm counts every pass."""

    def __init__(self, encoder: SceneEncoder, batch: GraphBatch) -> None:
        self.encoder, self.batch = encoder, batch

    @cached_property
    def states(self) -> list[Tensor]:
        """States of the nodes after each layer, (n, hidden_channels) each."""
        return self.encoder.node_states(self.batch)

    @cached_property
    def embedding(self) -> Tensor:
        """The embedding of each graph (graphs, dim), in training those of all processes."""
        return gather_graphs(self.encoder.embed(self.states, self.batch), self.encoder)


def gather_graphs(vectors: Tensor, encoder: SceneEncoder) -> Tensor:
    """Return the vectors of the graphs of all processes while the encoder trains in several."""
    return gather_rows(vectors) if encoder.training and encoder.is_shared else vectors


def mean_of_all(total: Tensor, count: int, encoder: SceneEncoder) -> Tensor:
    """Return `total` / `count`; while the encoder trains in several processes, what averages to the mean over all."""
    if not (encoder.training and encoder.is_shared):
        return total / max(count, 1)
    counts = sum_over_processes(total.new_tensor(float(count)))
    return total * distributed.get_world_size() / counts.clamp_min(1)


class Objective(nn.Module, ABC):
    """An encoder and what the objective adds to it. Calling it gives the loss; `after_step` follows every step."""

    def __init__(self, encoder: SceneEncoder, options: LossOptions) -> None:
        super().__init__()
        self.encoder, self.options = encoder, options

    def forward(self, first: GraphBatch, second: GraphBatch, same_scene: Tensor | None, masked: Tensor) -> Tensor:
        """Return the loss of a `TrainingBatch`."""
        return self.loss(EncodedView(self.encoder, first), EncodedView(self.encoder, second), same_scene, masked)

    @abstractmethod
    def loss(self, first: EncodedView, second: EncodedView, same_scene: Tensor | None, masked: Tensor) -> Tensor:
        """Return the loss of two views; arguments as in `TrainingBatch`."""

    def after_step(self, progress: float) -> None:
        """Follow a step of the optimizer; `progress` runs from 0 to 1 over the training."""


class Contrastive(Objective):
    """NT-Xent, InfoNCE or VICReg on projections; similarities and losses are in float32."""

    def loss(self, first: EncodedView, second: EncodedView, same_scene: Tensor | None, masked: Tensor) -> Tensor:
        """See `Objective.loss`."""
        del masked
        a, b = (self.encoder.projection(view.embedding) for view in (first, second))
        with torch.autocast(a.device.type, enabled=False):
            a, b, options = a.float(), b.float(), self.options
            if options.name == "vicreg":
                weights = (options.invariance_weight, options.variance_weight, options.covariance_weight)
                return vicreg(a, b, *weights)
            loss = nt_xent if options.name == "nt_xent" else info_nce
            return loss(a, b, options.temperature, same_scene)


class Bootstrapped(Objective):
    """BGRL: predict the embedding that a slowly moving copy of the encoder, the target, gives the other view."""

    def __init__(self, encoder: SceneEncoder, options: LossOptions) -> None:
        super().__init__(encoder, options)
        self.target = copy.deepcopy(encoder).requires_grad_(requires_grad=False)
        width = encoder.options.dim
        self.predictor = nn.Sequential(
            nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width)
        )

    def loss(self, first: EncodedView, second: EncodedView, same_scene: Tensor | None, masked: Tensor) -> Tensor:
        """See `Objective.loss`; there are no negatives."""
        del same_scene, masked
        online = [self.predictor(view.embedding) for view in (first, second)]
        with torch.no_grad():
            targets = [gather_graphs(self.target(view.batch), self.encoder) for view in (second, first)]
        with torch.autocast(online[0].device.type, enabled=False):
            parts = [bootstrap(a.float(), b.float()) for a, b in zip(online, targets, strict=True)]
            return (parts[0] + parts[1]) / 2

    @torch.no_grad()
    def after_step(self, progress: float) -> None:
        """Move the target with the momentum 1 - (1 - target_momentum) (cos(pi progress) + 1) / 2."""
        cosine = (float(torch.cos(torch.tensor(progress * torch.pi))) + 1.0) / 2.0
        momentum = 1.0 - (1.0 - self.options.target_momentum) * cosine
        for weight, online in zip(self.target.parameters(), self.encoder.parameters(), strict=True):
            weight.lerp_(online, 1.0 - momentum)
        for buffer, current in zip(self.target.buffers(), self.encoder.buffers(), strict=True):
            buffer.copy_(current)


class Reconstruction(nn.Module):
    """Reconstruct the features of masked nodes from their neighbours (GraphMAE, Hou et al. 2022).

    The encoder gets a learned token in their place, a GINE layer decodes, and the loss is the mean squared error there.
    """

    def __init__(self, encoder: SceneEncoder, node_width: int, edge_width: int) -> None:
        super().__init__()
        hidden = encoder.options.hidden_channels
        self.token = nn.Parameter(torch.zeros(node_width))
        self.bridge = nn.Linear(hidden, hidden, bias=False)
        self.decoder = GINEConv(nn.Sequential(nn.Linear(hidden, node_width)), edge_dim=edge_width)

    def forward(self, encoder: SceneEncoder, batch: GraphBatch, masked: Tensor) -> Tensor:
        """Return the mean squared error at the masked nodes."""
        hidden = torch.where(masked[:, None], self.token, batch.x)
        states = self.bridge(encoder.node_states(batch._replace(x=hidden))[-1])
        states = states.masked_fill(masked[:, None], 0.0)
        features = self.decoder(states, batch.edge_index, batch.edge_attr).float()
        squares = (features[masked] - batch.x[masked].float()).square()
        return mean_of_all(squares.sum(), squares.numel(), encoder)


class Masked(Objective):
    """Reconstruction of the first view alone."""

    def __init__(self, encoder: SceneEncoder, options: LossOptions, widths: tuple[int, int]) -> None:
        super().__init__(encoder, options)
        self.reconstruction = Reconstruction(encoder, *widths)

    def loss(self, first: EncodedView, second: EncodedView, same_scene: Tensor | None, masked: Tensor) -> Tensor:
        """See `Objective.loss`."""
        del second, same_scene
        return self.reconstruction(self.encoder, first.batch, masked)


class ContextPrediction(nn.Module):
    """Predict each node's context class from its states in the first layers (GROVER, Rong et al. 2020).

    The context is that of the unchanged graph: the node's type and flags and the multiset of its neighbours', with the
    relations between. The loss is the cross entropy over the classes of the training graphs; other nodes are left out.
    """

    def forward(self, encoder: SceneEncoder, views: tuple[EncodedView, EncodedView]) -> Tensor:
        """Return the mean over the nodes of both views."""
        sums, count = [], 0
        for view in views:
            context = view.batch.context
            if context is None:
                raise ValueError("these graphs have no contexts: set training.loss.context_weight to 0")
            logits = encoder.context_logits(view.states).float()
            sums.append(nn.functional.cross_entropy(logits, context, ignore_index=-1, reduction="sum"))
            count += int((context >= 0).sum())
        return mean_of_all(sums[0] + sums[1], count, encoder)


class Combined(Objective):
    """Another objective plus reconstruction, context prediction or both."""

    def __init__(self, objective: Objective, widths: tuple[int, int]) -> None:
        super().__init__(objective.encoder, objective.options)
        self.objective = objective
        self.reconstruction = Reconstruction(objective.encoder, *widths) if self._weights[0] else None
        self.context = ContextPrediction() if self._weights[1] else None

    @property
    def _weights(self) -> tuple[float, float]:
        """Weights of reconstruction, 0 if the objective is just that, and of contexts, 0 if the encoder has none."""
        options = self.options
        reconstruction = 0.0 if options.name == "masked" else options.reconstruction_weight
        return reconstruction, 0.0 if self.encoder.context is None else options.context_weight

    def loss(self, first: EncodedView, second: EncodedView, same_scene: Tensor | None, masked: Tensor) -> Tensor:
        """See `Objective.loss`."""
        loss = self.objective.loss(first, second, same_scene, masked)
        if self.reconstruction is not None:
            loss = loss + self._weights[0] * self.reconstruction(self.encoder, first.batch, masked)
        if self.context is not None:
            loss = loss + self._weights[1] * self.context(self.encoder, (first, second))
        return loss

    def after_step(self, progress: float) -> None:
        """See `Objective.after_step`."""
        self.objective.after_step(progress)


def make_objective(encoder: SceneEncoder, options: LossOptions, widths: tuple[int, int], seed: int) -> Objective:
    """Build an objective around an encoder.

    Args:
        encoder: to train.
        options: of the objective.
        widths: number of features of a node and of an edge.
        seed: of the layers that the objective adds.
    """
    with seeded(seed):
        if options.name == "masked":
            objective: Objective = Masked(encoder, options, widths)
        else:
            objective = Bootstrapped(encoder, options) if options.name == "bgrl" else Contrastive(encoder, options)
        reconstructs = options.reconstruction_weight > 0.0 and options.name != "masked"
        return Combined(objective, widths) if reconstructs or encoder.context is not None else objective
