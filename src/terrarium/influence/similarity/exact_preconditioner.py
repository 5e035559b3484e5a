"""Dot products weighted by the optimiser: grad(z)^T D grad(z'), D from the state that the checkpoint holds.

Adam steps by m / (sqrt(v) + eps) with the corrected mean of squares v = s / (1 - beta^t) (Kingma and Ba 2015), Adagrad
by g / (sqrt(sum of squares) + eps) (Duchi 2011); D is what divides. It differs from number to number, so a gradient is
no product of factors any more once it is multiplied: those asked about are written out, (T, N, d) for the entities,
those of the training triples are not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import Tensor

from terrarium.influence.gradients.factored import Gradients
from terrarium.influence.similarity.dot_products import BIAS, ENTITY, RELATION
from terrarium.kge.models.scorer import Scorer

SHIFTS = ("encoder.convolution.bias", "encoder.projection.bias")
"""Batch norm takes these off again: in training their gradients are rounding errors, and D would be one over those."""


def scales(scorer: Scorer, optimiser: Mapping[str, Any]) -> dict[str, Tensor]:
    """D by the names of parameters, from the optimiser's state dictionary; 0 for what batch norm takes off.

    Raises:
        KeyError: the state is neither Adam's nor Adagrad's.
    """
    group = optimiser["param_groups"][0]
    found = {}
    for place, (name, _) in enumerate(scorer.named_parameters()):
        held = optimiser["state"][place]
        if "exp_avg_sq" in held:
            squares = held["exp_avg_sq"] / (1 - group["betas"][1] ** float(held["step"]))
        else:
            squares = held["sum"]
        found[name] = torch.zeros_like(squares) if name in SHIFTS else 1 / (squares.sqrt() + group["eps"])
    return found


class Weighted:
    """Gradients of the triples asked about, written out and multiplied by D."""

    def __init__(
        self, gradients: Gradients, sides: int, entities: int, layers: Collection[str], scale: Mapping[str, Tensor]
    ) -> None:
        self._entities = entities
        self._relations = len(scale[RELATION])
        parts = self._written_out(gradients, set(layers))
        self._parts = {
            name: part.reshape(sides, -1, *part.shape[1:]).sum(0) * scale[name].reshape(part.shape[1:]).to(part)
            for name, part in parts.items()
        }

    @property
    def numbers(self) -> int:
        """A row of the widest layer for each triple asked about, twice."""
        return 2 * max(part.shape[0] * part.shape[-1] for part in self._parts.values())

    def between(self, train: Gradients, sides: int) -> Tensor:
        """(B, T) weighted dot products of triples."""
        slopes, asked, question = train.slopes, train.queries, train.question
        found = torch.zeros((), dtype=slopes.head.dtype, device=slopes.head.device)
        for name, part in self._parts.items():
            if name == ENTITY:
                found = found + self._entity(train, part)
            elif name == RELATION:
                found = found + torch.einsum("ud,tud->ut", slopes.relation, part[:, train.relation])
            elif name == BIAS:
                found = found + train.errors.times(part.T)
            elif name in slopes.left:
                moved = torch.einsum("qm,tnm->qtn", asked.right[name], part)
                found = found + torch.einsum("un,utn->ut", slopes.left[name], moved[question])
            else:
                found = found + slopes.small[name] @ part.T
        return found.view(sides, -1, found.shape[1]).sum(0)

    def _entity(self, train: Gradients, part: Tensor) -> Tensor:
        tested, _, dim = part.shape
        errors = train.errors.times(part.permute(1, 0, 2).reshape(self._entities, tested * dim))
        found = torch.einsum("utd,ud->ut", errors.view(-1, tested, dim), train.queries.query[train.question])
        return found + torch.einsum("ud,tud->ut", train.slopes.head, part[:, train.entity])

    def _written_out(self, gradients: Gradients, layers: set[str]) -> dict[str, Tensor]:
        slopes, question = gradients.slopes, gradients.question
        errors = gradients.errors.full(self._entities)
        place = torch.arange(len(question), device=question.device)
        found = {name: slopes.small[name] for name in layers & slopes.small.keys()}
        for name in layers & slopes.left.keys():
            found[name] = slopes.left[name][:, :, None] * gradients.queries.right[name][question][:, None, :]
        if BIAS in layers:
            found[BIAS] = errors
        if ENTITY in layers:
            found[ENTITY] = errors[:, :, None] * gradients.queries.query[question][:, None, :]
            found[ENTITY][place, gradients.entity] += slopes.head
        if RELATION in layers:
            found[RELATION] = slopes.relation.new_zeros(len(question), self._relations, slopes.relation.shape[1])
            found[RELATION][place, gradients.relation] = slopes.relation
        return found
