"""The inverse of the empirical Fisher matrix, from dot products between training triples.

With G the gradients (n, P) of n training triples and q those (T, P) of query triples, TracIn's influences are G q^T.
Many training triples say nearly the same, and each of them gets all of the credit. Newton's step is by the inverse of a
curvature instead (Koh and Liang 2017), here of the empirical Fisher matrix G^T G with damping d, as in TRAK (Park et
al. 2023):

    G (1 + G^T G / d)^-1 q^T = (1 + K / d)^-1 G q^T      with K = G G^T (Woodbury's identity)

K (n, n) are the influences of training triples on each other, so that nothing of size P x P is needed, and a
preconditioner or cosine changes K as it changes G q^T. K is that of the last epoch: summed over all checkpoints it
predicts retraining no better and takes as many times longer. The larger d, the nearer the result to G q^T.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from terrarium.influence.options import AttributionOptions

SMALL_GRAPH = 10_000
"""Training triples up to which `hessian: auto` takes the Fisher matrix: twice 400 MB in 32 bits."""


def uses_fisher(attribution: AttributionOptions, num_train: int) -> bool:
    """Return whether influences on a graph of `num_train` training triples are by the inverse Fisher matrix."""
    if attribution.hessian == "auto":
        return attribution.method == "closed_form" and num_train <= SMALL_GRAPH
    return attribution.hessian == "empirical_fisher"


class FisherInverse:
    """(1 + K / d)^-1, factored at its first use. d is a multiple of the mean of K's diagonal."""

    def __init__(self, damping: float) -> None:
        """Take the multiple."""
        self._damping = damping
        self._factor: Tensor | None = None

    def multiply(self, influences: Tensor, products: Callable[[], Tensor]) -> Tensor:
        """Return the inverse times influences.

        Args:
            influences: (n, T) of training triples on query triples.
            products: computes K (n, n), at the first call only.
        """
        if self._factor is None:
            self._factor = _factor(products(), self._damping)
        return torch.cholesky_solve(influences, self._factor)


def _factor(products: Tensor, damping: float) -> Tensor:
    """Return the Cholesky factor of 1 + K / d; K is changed in place, since it is large."""
    diagonal = products.diagonal()
    scale = damping * float(diagonal.mean())
    if scale:
        products /= scale
    diagonal += 1
    factor: Tensor = torch.linalg.cholesky(products)
    return factor
