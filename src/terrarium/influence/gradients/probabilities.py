"""The predictions of a scorer in the form that the gradient of the loss has, a few rows of all entities at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
    Single elements need no rows: those of bce depend on one score, those of a softmax on the row's normalizer too. A
    pass over the rows of a softmax computes all normalizers, so the first pass stores them. No result depends on
    whether that has happened; a pass for the normalizers alone would add half of the time of a product.
    """

    def __init__(self, scorer: Scorer, embedding: Tensor, spec: LossSpec) -> None:
        """Take the scorer, the query embeddings (Q, d) and the loss that was trained."""
        self._scorer, self._embedding, self._spec = scorer, embedding, spec
        self._dtype = scorer.entity.weight.dtype
        self._batches = torch.split(embedding, max(1, MAX_ELEMENTS // scorer.num_entities))
        self._stored_log_normalizer: Tensor | None = None

    @property
    def log_normalizer(self) -> Tensor | None:
        """The log of the normalizer (Q, 1) of every row; None for bce, which has none."""
        if self._spec.loss == "bce":
            return None
        if self._kept is not None:
            return self._kept.log_normalizer
        if self._stored_log_normalizer is None:
            for _ in self._all_rows():
                pass
        return self._stored_log_normalizer

    def matmul(self, matrix: Tensor) -> Tensor:
        """Return the product (Q, m) with a matrix (N, m)."""
        return torch.cat([rows.values @ matrix for rows in self._all_rows()])

    def columns(self, entity: Tensor) -> Tensor:
        """Return the columns (Q, m) of m entities."""
        if self._kept is not None:
            return self._kept.values[:, entity]
        bias = None if self._scorer.bias is None else self._scorer.bias[entity]
        scored = score_entities(self._embedding, self._scorer.entity.weight[entity], bias)
        return self._probability(scored, self.log_normalizer)

    def elements(self, query: Tensor, entity: Tensor) -> Tensor:
        """Return the elements (P,) at P pairs of query and entity."""
        log_normalizer = self.log_normalizer
        scored = (self._embedding[query] * self._scorer.entity.weight[entity]).sum(1, keepdim=True)
        if self._scorer.bias is not None:
            scored = scored + self._scorer.bias[entity, None]
        return self._probability(scored, None if log_normalizer is None else log_normalizer[query])[:, 0]

    def dense(self) -> Tensor:
        """Return the matrix (Q, N)."""
        return torch.cat([rows.values for rows in self._all_rows()])

    def scale_entities(self, factor: Tensor) -> ScaledPredictions:
        """Return the matrix with the column of each entity multiplied by its factor (N,)."""
        return ScaledPredictions(self, factor)

    @cached_property
    def _kept(self) -> _Rows | None:
        """All rows, if they are few enough to keep."""
        return self._rows(self._embedding) if len(self._batches) == 1 else None

    def _all_rows(self) -> Iterator[_Rows]:
        """Yield all rows in order, some at a time; at the end of the first pass, store the normalizers."""
        if self._kept is not None:
            yield self._kept
            return
        log_normalizers = []
        for batch in self._batches:
            rows = self._rows(batch)
            if rows.log_normalizer is not None:
                log_normalizers.append(rows.log_normalizer)
            yield rows
        if log_normalizers and self._stored_log_normalizer is None:
            self._stored_log_normalizer = torch.cat(log_normalizers)

    def _rows(self, embedding: Tensor) -> _Rows:
        scored = score_entities(embedding, self._scorer.entity.weight, self._scorer.bias)
        log_normalizer = torch.logsumexp(scored, dim=1, keepdim=True) if self._spec.loss == "cross_entropy" else None
        return _Rows(self._probability(scored, log_normalizer), log_normalizer)

    def _probability(self, scored: Tensor, log_normalizer: Tensor | None) -> Tensor:
        smoothing = self._spec.label_smoothing / self._spec.num_entities
        if log_normalizer is not None:
            return scored.sub(log_normalizer).exp_().sub_(smoothing).to(self._dtype)
        return torch.sigmoid(scored).sub_(smoothing).div_(self._spec.num_entities).to(self._dtype)


@dataclass(frozen=True, eq=False)
class ScaledPredictions:
    """A view of predictions with the column of each entity multiplied by its factor.

    Attributes:
        predictions: p (Q, N).
        factor: (N,) factors.
    """

    predictions: Predictions
    factor: Tensor

    def matmul(self, matrix: Tensor) -> Tensor:
        """Return the product (Q, m) with a matrix (N, m)."""
        return self.predictions.matmul(matrix * self.factor[:, None])

    def columns(self, entity: Tensor) -> Tensor:
        """Return the columns (Q, m) of m entities."""
        return self.predictions.columns(entity) * self.factor[entity]

    def elements(self, query: Tensor, entity: Tensor) -> Tensor:
        """Return the elements (P,) at P pairs of query and entity."""
        return self.predictions.elements(query, entity) * self.factor[entity]

    def dense(self) -> Tensor:
        """Return the matrix (Q, N)."""
        return self.predictions.dense() * self.factor

    def scale_entities(self, factor: Tensor) -> ScaledPredictions:
        """Return the matrix with the column of each entity multiplied by a further factor (N,)."""
        return ScaledPredictions(self.predictions, self.factor * factor)
