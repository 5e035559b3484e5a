"""What a scorer predicts for questions, as the loss's gradient has it, a few rows of all entities at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from copy import copy
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from terrarium.influence.gradients.loss_parts import Trained
from terrarium.kge.models.scorer import score_entities

if TYPE_CHECKING:
    from terrarium.kge.models.scorer import Scorer

HELD = 16_000_000
"""Numbers of p that exist at once: 64 MB in 32 bits."""


class Predicted:
    """(Q, N) p of Q questions, see `units`; computed again whenever it is needed, unless all of it is small.

    For softmax the log of the sum of a row's exponentials is kept, so that single numbers need no row.
    """

    def __init__(self, scorer: Scorer, query: Tensor, trained: Trained) -> None:
        self._scorer, self._query, self._trained = scorer, query, trained
        self._dtype = scorer.entity.weight.dtype
        self._factor: Tensor | None = None
        self._logs: list[Tensor] = []
        self._whole: Tensor | None = None

    def scaled(self, factor: Tensor) -> Predicted:
        """The same with the number of each entity multiplied by its factor (N,)."""
        found = copy(self)
        found._factor = factor
        return found

    def times(self, matrix: Tensor) -> Tensor:
        """(Q, m) from a matrix (N, m)."""
        if self._factor is not None:
            matrix = matrix * self._factor[:, None]
        return torch.cat([rows @ matrix for rows in self._rows()])

    def at(self, entity: Tensor) -> Tensor:
        """(Q, m) numbers at m entities."""
        logs = self._logs_of_rows()
        if self._whole is not None:
            found = self._whole[:, entity]
        else:
            bias = None if self._scorer.bias is None else self._scorer.bias[entity]
            found = self._p(score_entities(self._query, self._scorer.entity.weight[entity], bias), logs)
        return found if self._factor is None else found * self._factor[entity]

    def own(self, question: Tensor, target: Tensor) -> Tensor:
        """(U,) numbers of questions (U,) at an entity each."""
        logs = self._logs_of_rows()
        values = (self._query[question] * self._scorer.entity.weight[target]).sum(1, keepdim=True)
        if self._scorer.bias is not None:
            values = values + self._scorer.bias[target, None]
        found = self._p(values, None if logs is None else logs[question])[:, 0]
        return found if self._factor is None else found * self._factor[target]

    def full(self) -> Tensor:
        """(Q, N) written out."""
        found = torch.cat(list(self._rows()))
        return found if self._factor is None else found * self._factor

    def _logs_of_rows(self) -> Tensor | None:
        """(Q, 1), from a first pass where there was none yet; None for bce, whose numbers stand each alone."""
        if self._trained.loss == "bce":
            return None
        if not self._logs:
            deque(self._rows(), maxlen=0)
        return torch.cat(self._logs)

    def _rows(self) -> Iterator[Tensor]:
        """p without the factor, some rows at a time."""
        if self._whole is not None:
            yield self._whole
            return
        pieces = torch.split(self._query, max(1, HELD // self._scorer.num_entities))
        for number, query in enumerate(pieces):
            values = score_entities(query, self._scorer.entity.weight, self._scorer.bias)
            if self._trained.loss == "cross_entropy" and number == len(self._logs):
                self._logs.append(torch.logsumexp(values, dim=1, keepdim=True))
            found = self._p(values, self._logs[number] if self._logs else None)
            if len(pieces) == 1:
                self._whole = found
            yield found

    def _p(self, values: Tensor, logs: Tensor | None) -> Tensor:
        """p of the formulas in `units`."""
        smooth = self._trained.smoothing / self._trained.entities
        if logs is not None:
            return values.sub(logs).exp_().sub_(smooth).to(self._dtype)
        return torch.sigmoid(values).sub_(smooth).div_(self._trained.entities).to(self._dtype)
