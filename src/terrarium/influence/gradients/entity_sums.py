"""Gradients by own vectors, for models whose entity embeddings are sums of them.

The embeddings are E = A W, with A (N, V) 1 for every entity and itself, its ancestors and the words of its name (see
`terrarium.kge.models.entities`). The parameter is W, and the gradient by it is A^T times that by E. With the root
diag(r) of a preconditioner of W's rows, the dot product of two gradients x and y by E is

    <diag(r) A^T x, diag(r) A^T y> = <x, M y>      with M = A diag(r^2) A^T

M (N, N) is dense where all entities have a common ancestor, so it is never written out: a product with it is two
products with sparse matrices.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from terrarium.common.arrays import Int64Array
from terrarium.kge.data.ancestors import Ancestors


@dataclass(frozen=True, eq=False)
class EntitySums:
    """diag(r) A^T, which leads from gradients by embeddings to those by own vectors. Make it with `EntitySums.of`.

    Attributes:
        matrix, transposed: A (N, V) and A^T, sparse.
        root: (V, 1) r; 1 without a preconditioner.
    """

    matrix: Tensor
    transposed: Tensor
    root: Tensor | float = 1.0

    @staticmethod
    def of(parts: Ancestors | None, table: Tensor) -> EntitySums | None:
        """Return the sums that a table (N, d) of embeddings consists of, on its device and in its dtype.

        Args:
            parts: pairs of an entity and an ancestor or word; None for plain embeddings.
            table: the embeddings.
        """
        if parts is None:
            return None
        own = np.arange(len(table))
        entity, part = (np.concatenate([own, other]) for other in parts)
        num_vectors = 1 + int(part.max())
        return EntitySums(
            _indicator(entity, part, (len(table), num_vectors), table),
            _indicator(part, entity, (num_vectors, len(table)), table),
        )

    @property
    def num_entities(self) -> int:
        """N, the number of entities."""
        return len(self.matrix)

    @property
    def num_vectors(self) -> int:
        """V, the number of own vectors of entities and words."""
        return len(self.transposed)

    def scale(self, root: Tensor) -> EntitySums:
        """Return diag(root) A^T for the factors (V,) of own vectors."""
        return replace(self, root=root[:, None])

    def collect(self, gradients: Tensor) -> Tensor:
        """Return diag(r) A^T gradients (V, m), for gradients (N, m) by embeddings."""
        return _multiply(self.transposed, gradients) * self.root

    def spread(self, vectors: Tensor) -> Tensor:
        """Return A diag(r) vectors (N, m), for vectors (V, m)."""
        return _multiply(self.matrix, vectors * self.root)

    def multiply(self, rows: Tensor) -> Tensor:
        """Return rows M (P, N), for rows (P, N)."""
        return self.spread(self.collect(rows.T)).T.contiguous()

    def rows_of(self, entity: Tensor) -> Tensor:
        """Return the rows (P, N) of M at entities (P,)."""
        one_hot = torch.zeros(len(entity), self.num_entities, dtype=self.matrix.dtype, device=self.matrix.device)
        return self.multiply(one_hot.scatter_(1, entity[:, None], 1.0))


def _multiply(matrix: Tensor, values: Tensor) -> Tensor:
    """Return the product with a sparse matrix; never in half precision, since many terms are summed."""
    with torch.autocast(values.device.type, enabled=False):
        return torch.sparse.mm(matrix, values.to(matrix.dtype))


def _indicator(row: Int64Array, column: Int64Array, shape: tuple[int, int], like: Tensor) -> Tensor:
    """Return a sparse matrix with 1 at each pair of row and column."""
    positions = torch.from_numpy(np.stack([row, column])).to(like.device)
    ones = torch.ones(len(row), dtype=like.dtype, device=like.device)
    return torch.sparse_coo_tensor(positions, ones, shape, check_invariants=False).coalesce()
