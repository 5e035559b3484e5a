"""Random projections of gradients, from their factors.

Number k of p is <S_k, gradient> with signs S_k; of a matrix's gradient S_k is a_k x b_k, so that a factored gradient is
projected factor by factor. The mean over k of the products of two projections has the dot product as its expectation
(Johnson and Lindenstrauss 1984; signs: Achlioptas 2003; products of signs: Kar and Karnick 2012).
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor

from terrarium.influence.gradients.closed_form import PROJECTION
from terrarium.influence.gradients.factored import Gradients
from terrarium.influence.similarity.dot_products import BIAS, ENTITY, RELATION
from terrarium.kge.models.scorer import Scorer


class Projection:
    """Signs for every layer that is projected; equal seeds give equal signs."""

    def __init__(self, scorer: Scorer, layers: Collection[str], size: int, seed: int) -> None:
        weight = scorer.entity.weight
        self._layers, self._size, self._dtype = set(layers), size, weight.dtype
        drawn = torch.Generator().manual_seed(seed)
        self._signs = {}
        for name, parameter in scorer.named_parameters():
            shape = parameter.shape if name in {ENTITY, RELATION, PROJECTION} else [parameter.numel()]
            self._signs[name] = [
                (torch.randint(0, 2, (side, size), generator=drawn) * 2 - 1).to(weight) for side in shape
            ]

    def of(self, gradients: Gradients, sides: int) -> Tensor:
        """(B, p) projections of the gradients of triples, divided by sqrt(p)."""
        slopes, asked, question = gradients.slopes, gradients.queries, gradients.question
        found = torch.zeros(len(question), self._size, dtype=self._dtype, device=slopes.head.device)
        for name in self._layers:
            left, right = self._signs[name][0], self._signs[name][-1]
            if name == ENTITY:
                found += gradients.errors.times(left) * (asked.query @ right)[question]
                found += left[gradients.entity] * (slopes.head @ right)
            elif name == RELATION:
                found += left[gradients.relation] * (slopes.relation @ right)
            elif name == BIAS:
                found += gradients.errors.times(left) * gradients.bias
            elif name in slopes.left:
                found += (slopes.left[name] @ left) * (asked.right[name] @ right)[question]
            else:
                found += slopes.small[name] @ left
        return found.view(sides, -1, found.shape[1]).sum(0) / self._size**0.5


class Projected:
    """Projections of the triples asked about."""

    def __init__(self, gradients: Gradients, sides: int, projection: Projection) -> None:
        self._projection = projection
        self._asked = projection.of(gradients, sides)

    @property
    def numbers(self) -> int:
        """A few projections."""
        return 4 * self._asked.shape[1]

    def between(self, train: Gradients, sides: int) -> Tensor:
        """(B, T) estimated dot products of triples, never in half precision: a sum of so many numbers needs more."""
        found = self._projection.of(train, sides)
        with torch.autocast(found.device.type, enabled=False):
            return found @ self._asked.T
