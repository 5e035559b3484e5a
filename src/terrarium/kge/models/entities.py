"""Embeddings of entities: a vector each, or that plus the vectors of ancestors and of words of the name."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from terrarium.kge.data.ancestors import Ancestors


class AncestorSum(torch.nn.Module):
    """Embeddings E = (I + S) W of own vectors W, where S has a 1 for every pair of an entity and an ancestor or word.

    The first N rows of W are those of entities, the others of words. An entity that has no triple of its own but a
    parent has its parent's embedding, as long as its own vector is zero.
    """

    def __init__(self, ancestors: Ancestors, num_entities: int) -> None:
        super().__init__()
        self.num_vectors = max(num_entities, 1 + int(ancestors.ancestor.max(initial=-1)))
        self._shape = (num_entities, self.num_vectors)
        self.register_buffer("entity", torch.from_numpy(np.array(ancestors.entity)))
        self.register_buffer("ancestor", torch.from_numpy(np.array(ancestors.ancestor)))
        self._matrices: tuple[Tensor, Tensor] | None = None

    def forward(self, own: Tensor) -> Tensor:
        """Return the embeddings (N, d) of own vectors (num_vectors, d)."""
        value: Tensor = _SparseSum.apply(own, *self._matrices_on(own))  # type: ignore[no-untyped-call]
        return value

    @staticmethod
    def add(own: Tensor, entity: Tensor, ancestor: Tensor) -> Tensor:
        """Return embeddings (M, d) of some own vectors (M, d), given (P,) pairs of their positions."""
        return own.index_add(0, entity, own[ancestor]) if len(entity) else own

    def _matrices_on(self, own: Tensor) -> tuple[Tensor, Tensor]:
        """Return S and its transpose, on the device of the vectors; made once per device and type."""
        matrices = self._matrices
        if matrices is None or matrices[0].device != own.device or matrices[0].dtype != own.dtype:
            pairs = torch.stack([self.get_buffer("entity"), self.get_buffer("ancestor")])
            ones = torch.ones(pairs.shape[1], dtype=own.dtype, device=own.device)
            shapes = self._shape, self._shape[::-1]
            matrices = _sparse(pairs, ones, shapes[0]), _sparse(pairs.flip(0), ones, shapes[1])
            self._matrices = matrices
        return matrices


def _sparse(indices: Tensor, ones: Tensor, shape: tuple[int, ...]) -> Tensor:
    return torch.sparse_coo_tensor(indices, ones, shape, check_invariants=False).coalesce()


class _SparseSum(torch.autograd.Function):
    """Product of I + S with a dense matrix; the gradient is a product with the transpose."""

    @staticmethod
    def forward(ctx: Any, own: Tensor, matrix: Tensor, transposed: Tensor) -> Tensor:
        """Return own + S own."""
        ctx.transposed = transposed
        return own[: len(matrix)] + matrix @ own

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor, None, None]:
        """Return g + S^T g."""
        (gradient,) = outputs
        of_own = ctx.transposed @ gradient
        of_own[: len(gradient)] += gradient
        return of_own, None, None
