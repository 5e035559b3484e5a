"""Embeddings of entities: a vector each, or a vector each plus those of the ancestors."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from terrarium.kge.data.ancestors import Ancestors


class AncestorSum(torch.nn.Module):
    """Embeddings E = (I + S) W of own vectors W, where S has a 1 for every pair of an entity and an ancestor.

    An entity that has no triple of its own but a parent has its parent's embedding, as long as its own vector is zero.
    """

    def __init__(self, ancestors: Ancestors, num_entities: int) -> None:
        super().__init__()
        self._shape = (num_entities, num_entities)
        self.register_buffer("entity", torch.from_numpy(np.array(ancestors.entity)))
        self.register_buffer("ancestor", torch.from_numpy(np.array(ancestors.ancestor)))
        self._matrices: tuple[Tensor, Tensor] | None = None

    def forward(self, own: Tensor) -> Tensor:
        """Return the embeddings (N, d) of own vectors (N, d)."""
        value: Tensor = _SparseSum.apply(own, *self._matrices_on(own))  # type: ignore[no-untyped-call]
        return value

    def _matrices_on(self, own: Tensor) -> tuple[Tensor, Tensor]:
        """Return S and its transpose, on the device of the vectors; made once per device and type."""
        matrices = self._matrices
        if matrices is None or matrices[0].device != own.device or matrices[0].dtype != own.dtype:
            matrices = self._matrix(own, "entity", "ancestor"), self._matrix(own, "ancestor", "entity")
            self._matrices = matrices
        return matrices

    def _matrix(self, own: Tensor, row: str, column: str) -> Tensor:
        indices = torch.stack([self.get_buffer(row), self.get_buffer(column)])
        ones = torch.ones(indices.shape[1], dtype=own.dtype, device=own.device)
        return torch.sparse_coo_tensor(indices, ones, self._shape, check_invariants=False).coalesce()


class _SparseSum(torch.autograd.Function):
    """Product of I + S with a dense matrix; the gradient is a product with the transpose."""

    @staticmethod
    def forward(ctx: Any, own: Tensor, matrix: Tensor, transposed: Tensor) -> Tensor:
        """Return own + S own."""
        ctx.transposed = transposed
        return own + matrix @ own

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor, None, None]:
        """Return g + S^T g."""
        (gradient,) = outputs
        return gradient + ctx.transposed @ gradient, None, None
