"""The training objective: two views of the same graphs give a loss."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor, distributed, nn

from terrarium.scenes.models.encoder import GraphBatch, SceneEncoder
from terrarium.scenes.options import LossOptions
from terrarium.scenes.training.losses import info_nce, nt_xent
from terrarium.training.torch.exchange import gather_rows, sum_over_processes


class TrainingBatch(NamedTuple):
    """What the objective compares.

    Attributes:
        first, second: views of the same graphs.
        same_scene: pairs of graphs that are no negatives of each other, bool (graphs, graphs); None if all are.
    """

    first: GraphBatch
    second: GraphBatch
    same_scene: Tensor | None


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


class Objective(nn.Module):
    """NT-Xent or InfoNCE on projections, and the prediction of contexts if the encoder has a layer for them.

    Similarities and losses are in float32.
    """

    def __init__(self, encoder: SceneEncoder, options: LossOptions) -> None:
        super().__init__()
        self.encoder, self.options = encoder, options

    def forward(self, first: GraphBatch, second: GraphBatch, same_scene: Tensor | None) -> Tensor:
        """Return the loss of a `TrainingBatch`."""
        views = EncodedView(self.encoder, first), EncodedView(self.encoder, second)
        loss = self.contrast(*views, same_scene)
        if self.encoder.context is not None:
            loss = loss + self.options.context_weight * predict_contexts(self.encoder, views)
        return loss

    def contrast(self, first: EncodedView, second: EncodedView, same_scene: Tensor | None) -> Tensor:
        """Return the contrastive loss of two views; see `TrainingBatch`."""
        a, b = (self.encoder.projection(view.embedding) for view in (first, second))
        loss = nt_xent if self.options.name == "nt_xent" else info_nce
        with torch.autocast(a.device.type, enabled=False):
            return loss(a.float(), b.float(), self.options.temperature, same_scene)


def predict_contexts(encoder: SceneEncoder, views: tuple[EncodedView, EncodedView]) -> Tensor:
    """Predict each node's context class from its states in the first layers (GROVER, Rong et al. 2020).

    The context is that of the unchanged graph: the node's type and flags and the multiset of its neighbours', with the
    relations between.

    Returns:
        The cross entropy over the classes of the training graphs, mean over the nodes of both views that have one.
    """
    sums, count = [], 0
    for view in views:
        context = view.batch.context
        if context is None:
            raise ValueError("these graphs have no contexts: set training.loss.context_weight to 0")
        logits = encoder.context_logits(view.states).float()
        sums.append(nn.functional.cross_entropy(logits, context, ignore_index=-1, reduction="sum"))
        count += int((context >= 0).sum())
    return mean_of_all(sums[0] + sums[1], count, encoder)
