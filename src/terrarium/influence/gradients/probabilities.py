"""The predictions of a scorer in the form that the gradient of the loss has, a few rows of all entities at a time."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from terrarium.influence.gradients.loss_parts import LossSpec
from terrarium.kge.models.scorer import score_entities

if TYPE_CHECKING:
    from terrarium.kge.models.scorer import Scorer

MAX_ELEMENTS = 16_000_000
"""Elements of p that exist at once: 64 MB in 32 bits."""


class _Rows(NamedTuple):
    """Some rows of p, and of a softmax the log of their normalizers (q, 1)."""

    values: Tensor
    log_normalizer: Tensor | None


class Predictions:
    """The matrix p (Q, N) of the formulas in `loss_parts`, for Q queries and N entities.

    A matrix of at most `MAX_ELEMENTS` is computed once and kept, a larger one is computed again for every product.
    Single elements need no rows: those of bce depend on one score, those of a softmax on the row's normalizer too.
    """

    def __init__(self, scorer: Scorer, embedding: Tensor, spec: LossSpec) -> None:
        """Take the scorer, the query embeddings (Q, d) and the loss that was trained."""
        self._scorer, self._embedding, self._spec = scorer, embedding, spec
        self._dtype = scorer.entity.weight.dtype
        self._batches = torch.split(embedding, max(1, MAX_ELEMENTS // scorer.num_entities))
        self._entity_factor: Tensor | None = None
        self._log_normalizer: Tensor | None = None

    def scale_entities(self, factor: Tensor) -> Predictions:
        """Return the matrix with the column of each entity multiplied by its factor (N,)."""
        scaled = copy(self)
        scaled._entity_factor = factor
        return scaled

    def matmul(self, matrix: Tensor) -> Tensor:
        """Return the product (Q, m) with a matrix (N, m)."""
        if self._entity_factor is not None:
            matrix = matrix * self._entity_factor[:, None]
        if self._kept is not None:
            return self._kept.values @ matrix
        products, log_normalizers = [], []
        for batch in self._batches:
            rows = self._rows(batch)
            products.append(rows.values @ matrix)
            log_normalizers.append(rows.log_normalizer)
        self._remember(log_normalizers)
        return torch.cat(products)

    def columns(self, entity: Tensor) -> Tensor:
        """Return the columns (Q, m) of m entities."""
        if self._kept is not None:
            values = self._kept.values[:, entity]
        else:
            bias = None if self._scorer.bias is None else self._scorer.bias[entity]
            scored = score_entities(self._embedding, self._scorer.entity.weight[entity], bias)
            values = self._probability(scored, self._normalizers())
        return self._scaled(values, entity)

    def elements(self, query: Tensor, entity: Tensor) -> Tensor:
        """Return the elements (P,) at P pairs of query and entity."""
        log_normalizer = self._normalizers()
        scored = (self._embedding[query] * self._scorer.entity.weight[entity]).sum(1, keepdim=True)
        if self._scorer.bias is not None:
            scored = scored + self._scorer.bias[entity, None]
        values = self._probability(scored, None if log_normalizer is None else log_normalizer[query])[:, 0]
        return self._scaled(values, entity)

    def dense(self) -> Tensor:
        """Return the matrix (Q, N)."""
        values = torch.cat([rows.values for rows in self._all_rows()])
        return values if self._entity_factor is None else values * self._entity_factor

    @cached_property
    def _kept(self) -> _Rows | None:
        """All rows, if they are few enough to keep."""
        return self._rows(self._batches[0]) if len(self._batches) == 1 else None

    def _all_rows(self) -> Iterator[_Rows]:
        if self._kept is not None:
            yield self._kept
        else:
            yield from map(self._rows, self._batches)

    def _rows(self, embedding: Tensor) -> _Rows:
        scored = score_entities(embedding, self._scorer.entity.weight, self._scorer.bias)
        log_normalizer = torch.logsumexp(scored, dim=1, keepdim=True) if self._spec.loss == "cross_entropy" else None
        return _Rows(self._probability(scored, log_normalizer), log_normalizer)

    def _normalizers(self) -> Tensor | None:
        """Return the log of the normalizer (Q, 1) of every row; None for bce."""
        if self._spec.loss == "bce":
            return None
        if self._log_normalizer is None:
            self._remember([rows.log_normalizer for rows in self._all_rows()])
        return self._log_normalizer

    def _remember(self, log_normalizers: list[Tensor | None]) -> None:
        if self._spec.loss == "cross_entropy":
            self._log_normalizer = torch.cat([one for one in log_normalizers if one is not None])

    def _probability(self, scored: Tensor, log_normalizer: Tensor | None) -> Tensor:
        smoothing = self._spec.label_smoothing / self._spec.num_entities
        if log_normalizer is not None:
            return scored.sub(log_normalizer).exp_().sub_(smoothing).to(self._dtype)
        return torch.sigmoid(scored).sub_(smoothing).div_(self._spec.num_entities).to(self._dtype)

    def _scaled(self, values: Tensor, entity: Tensor) -> Tensor:
        return values if self._entity_factor is None else values * self._entity_factor[entity]
