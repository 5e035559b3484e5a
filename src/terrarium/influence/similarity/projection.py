"""Random projections of gradients, from their factors.

Element k of a projection is <S_k, gradient> with random signs S_k. For the gradient of a matrix S_k is a_k x b_k, so
that a factored gradient is projected factor by factor. The mean over k of the products of two projections has the dot
product as its expectation (Johnson and Lindenstrauss 1984; signs: Achlioptas 2003; products of signs: Kar and Karnick
2012).
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor

from terrarium.influence.gradients.closed_form import PROJECTION
from terrarium.influence.gradients.factored import Gradients
from terrarium.influence.similarity.dot_products import BIAS, ENTITY, RELATION
from terrarium.kge.models.scorer import Scorer


class RandomProjection:
    """Random signs for every layer; equal seeds give equal signs."""

    def __init__(self, scorer: Scorer, layers: Collection[str], dim: int, seed: int, num_vectors: int) -> None:
        """Draw signs for projections of the named layers to `dim` dimensions.

        `num_vectors` is the number of entities, or of own vectors where embeddings are sums of them.
        """
        weight = scorer.entity.weight
        self._layers, self._dim, self._dtype = set(layers), dim, weight.dtype
        rng = torch.Generator().manual_seed(seed)
        matrices = {ENTITY: (num_vectors, weight.shape[1]), RELATION: scorer.relation.weight.shape}
        self._signs = {}
        for name, parameter in scorer.named_parameters():
            shape = matrices.get(name, parameter.shape if name == PROJECTION else (parameter.numel(),))
            self._signs[name] = [(torch.randint(0, 2, (size, dim), generator=rng) * 2 - 1).to(weight) for size in shape]

    def project(self, gradients: Gradients, directions: int) -> Tensor:
        """Return (B, dim) projections of the gradients of B triples, divided by sqrt(dim)."""
        factors, queries, query = gradients.factors, gradients.queries, gradients.query
        total = torch.zeros(len(query), self._dim, dtype=self._dtype, device=factors.entity.device)
        for name in sorted(self._layers):
            left, right = self._signs[name][0], self._signs[name][-1]
            if name == ENTITY:
                left = left if gradients.sums is None else gradients.sums.spread(left)
                total += gradients.scores.matmul(left) * (queries.embedding @ right)[query]
                total += left[gradients.entity] * (factors.entity @ right)
            elif name == RELATION:
                total += left[gradients.relation] * (factors.relation @ right)
            elif name == BIAS:
                total += gradients.scores.matmul((left.T * gradients.bias_factor).T)
            elif name in factors.left:
                total += (factors.left[name] @ left) * (queries.right[name] @ right)[query]
            else:
                total += factors.dense[name] @ left
        return total.view(directions, -1, total.shape[1]).sum(0) / self._dim**0.5


class ProjectedQueryGradients:
    """Projected gradients of the query triples."""

    def __init__(self, gradients: Gradients, directions: int, projection: RandomProjection) -> None:
        """Project the query triples' gradients."""
        self._projection = projection
        self._projected = projection.project(gradients, directions)

    @property
    def floats_per_part(self) -> int:
        """A few projections."""
        return 4 * self._projected.shape[1]

    def dot_products(self, train: Gradients, directions: int) -> Tensor:
        """Return (B, T) estimated dot products of triples; never in half precision, since many terms are summed."""
        projected = self._projection.project(train, directions)
        with torch.autocast(projected.device.type, enabled=False):
            return projected @ self._projected.T
