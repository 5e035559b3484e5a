"""Objectives behind one interface: two views of the same graphs give a number to minimise."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from functools import cached_property

import torch
from torch import Tensor, nn
from torch_geometric.nn import GINEConv

from terrarium.scenes.models.encoder import GraphBatch, SceneEncoder
from terrarium.scenes.options import ObjectiveOptions
from terrarium.scenes.training.losses import bootstrap, info_nce, nt_xent, vicreg


class Seen:
    """A view and what the encoder makes of it, worked out once, when it is first asked for."""

    def __init__(self, encoder: SceneEncoder, batch: GraphBatch) -> None:
        self.encoder, self.batch = encoder, batch

    @cached_property
    def states(self) -> list[Tensor]:
        """States of the nodes after each layer, (n, hidden) each."""
        return self.encoder.node_states(self.batch)

    @cached_property
    def embedding(self) -> Tensor:
        """The embedding of each graph (g, dim)."""
        return self.encoder.embedded(self.states, self.batch)


class Objective(nn.Module, ABC):
    """An encoder with what the objective adds to it. Called, it gives the loss; `after_step` follows every step."""

    def __init__(self, encoder: SceneEncoder, options: ObjectiveOptions) -> None:
        super().__init__()
        self.encoder, self.options = encoder, options

    def forward(self, first: GraphBatch, second: GraphBatch, same: Tensor | None, masked: Tensor) -> Tensor:
        """The loss of two views; see `loss`."""
        return self.loss(Seen(self.encoder, first), Seen(self.encoder, second), same, masked)

    @abstractmethod
    def loss(self, first: Seen, second: Seen, same: Tensor | None, masked: Tensor) -> Tensor:
        """A number to minimise.

        Args:
            first: first views.
            second: second views.
            same: pairs of graphs (g, g) that are no negatives of each other; None where all are.
            masked: nodes of the first view whose features an objective may hide (n).
        """

    def after_step(self, progress: float) -> None:
        """What follows a step of the optimiser; `progress` runs from 0 to 1 over the training."""


class Contrastive(Objective):
    """NT-Xent, the documents' InfoNCE, or VICReg on projections."""

    def loss(self, first: Seen, second: Seen, same: Tensor | None, masked: Tensor) -> Tensor:
        """See `Objective.loss`."""
        del masked
        a, b = (self.encoder.projection(view.embedding) for view in (first, second))
        with torch.autocast(a.device.type, enabled=False):
            a, b, options = a.float(), b.float(), self.options
            if options.name == "vicreg":
                weights = (options.invariance_weight, options.variance_weight, options.covariance_weight)
                return vicreg(a, b, *weights)
            loss = nt_xent if options.name == "nt_xent" else info_nce
            return loss(a, b, options.temperature, same)


class Bootstrapped(Objective):
    """BGRL: a predictor foretells what a slowly moving copy of the encoder makes of the other view."""

    def __init__(self, encoder: SceneEncoder, options: ObjectiveOptions) -> None:
        super().__init__(encoder, options)
        self.target = copy.deepcopy(encoder).requires_grad_(requires_grad=False)
        width = encoder.options.dim
        self.predictor = nn.Sequential(
            nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width)
        )

    def loss(self, first: Seen, second: Seen, same: Tensor | None, masked: Tensor) -> Tensor:
        """See `Objective.loss`; there are no negatives."""
        del same, masked
        online = [self.predictor(view.embedding) for view in (first, second)]
        with torch.no_grad():
            wanted = [self.target(view.batch) for view in (second, first)]
        with torch.autocast(online[0].device.type, enabled=False):
            parts = [bootstrap(a.float(), b.float()) for a, b in zip(online, wanted, strict=True)]
            return (parts[0] + parts[1]) / 2

    @torch.no_grad()
    def after_step(self, progress: float) -> None:
        """Move the target: 1 - (1 - momentum) (cos(pi progress) + 1) / 2 of it stays."""
        cosine = (float(torch.cos(torch.tensor(progress * torch.pi))) + 1.0) / 2.0
        stays = 1.0 - (1.0 - self.options.target_momentum) * cosine
        for mine, theirs in zip(self.target.parameters(), self.encoder.parameters(), strict=True):
            mine.lerp_(theirs, 1.0 - stays)
        for kept, seen in zip(self.target.buffers(), self.encoder.buffers(), strict=True):
            kept.copy_(seen)


class Reconstruction(nn.Module):
    """Features of hidden nodes are found again from their surroundings (Hou et al. 2022, GraphMAE).

    The encoder sees a token in their place, a GINE layer decodes, and the loss is the mean squared error there.
    """

    def __init__(self, encoder: SceneEncoder, node_width: int, edge_width: int) -> None:
        super().__init__()
        hidden = encoder.options.hidden_channels
        self.token = nn.Parameter(torch.zeros(node_width))
        self.bridge = nn.Linear(hidden, hidden, bias=False)
        self.decoder = GINEConv(nn.Sequential(nn.Linear(hidden, node_width)), edge_dim=edge_width)

    def forward(self, encoder: SceneEncoder, batch: GraphBatch, masked: Tensor) -> Tensor:
        """The squared error at the masked nodes."""
        hidden = torch.where(masked[:, None], self.token, batch.x)
        states = self.bridge(encoder.node_states(batch._replace(x=hidden))[-1])
        states = states.masked_fill(masked[:, None], 0.0)
        found = self.decoder(states, batch.edge_index, batch.edge_attr).float()
        return (found[masked] - batch.x[masked].float()).square().mean()


class Masked(Objective):
    """Reconstruction alone."""

    def __init__(self, encoder: SceneEncoder, options: ObjectiveOptions, widths: tuple[int, int]) -> None:
        super().__init__(encoder, options)
        self.reconstruction = Reconstruction(encoder, *widths)

    def loss(self, first: Seen, second: Seen, same: Tensor | None, masked: Tensor) -> Tensor:
        """See `Objective.loss`; one view is enough."""
        del second, same
        return self.reconstruction(self.encoder, first.batch, masked)


class Context(nn.Module):
    """Which neighbourhood a node has, foretold from its states in the first layers.

    Cross entropy over the classes of the training graphs (contextual property prediction, Rong et al. 2020, GROVER);
    the class is that of the unchanged graph, and nodes without one are left out.
    """

    def forward(self, encoder: SceneEncoder, views: tuple[Seen, Seen]) -> Tensor:
        """Mean over the nodes of both views."""
        total, count = [], 0
        for view in views:
            wanted = view.batch.context
            if wanted is None:
                raise ValueError("these graphs have no contexts: set training.objective.context_weight to 0")
            logits = encoder.context_logits(view.states).float()
            total.append(nn.functional.cross_entropy(logits, wanted, ignore_index=-1, reduction="sum"))
            count += int((wanted >= 0).sum())
        return (total[0] + total[1]) / max(count, 1)


class Combined(Objective):
    """Another objective with reconstruction, contexts or both added."""

    def __init__(self, objective: Objective, widths: tuple[int, int]) -> None:
        super().__init__(objective.encoder, objective.options)
        self.objective = objective
        self.reconstruction = Reconstruction(objective.encoder, *widths) if self._weights[0] else None
        self.context = Context() if self._weights[1] else None

    @property
    def _weights(self) -> tuple[float, float]:
        """Of reconstruction and contexts; what is there already, or what the encoder has no head for, weighs 0."""
        options = self.options
        reconstruction = 0.0 if options.name == "masked" else options.reconstruction_weight
        return reconstruction, 0.0 if self.encoder.context is None else options.context_weight

    def loss(self, first: Seen, second: Seen, same: Tensor | None, masked: Tensor) -> Tensor:
        """See `Objective.loss`."""
        loss = self.objective.loss(first, second, same, masked)
        if self.reconstruction is not None:
            loss = loss + self._weights[0] * self.reconstruction(self.encoder, first.batch, masked)
        if self.context is not None:
            loss = loss + self._weights[1] * self.context(self.encoder, (first, second))
        return loss

    def after_step(self, progress: float) -> None:
        """As the objective inside wants it."""
        self.objective.after_step(progress)


def make_objective(encoder: SceneEncoder, options: ObjectiveOptions, widths: tuple[int, int], seed: int) -> Objective:
    """The objective by its name; what it adds to the encoder is drawn from the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if options.name == "masked":
            chosen: Objective = Masked(encoder, options, widths)
        else:
            chosen = Bootstrapped(encoder, options) if options.name == "bgrl" else Contrastive(encoder, options)
        added = (options.reconstruction_weight > 0.0 and options.name != "masked") or encoder.context is not None
        return Combined(chosen, widths) if added else chosen
