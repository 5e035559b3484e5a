"""Influence by one backward pass a triple, as TracIn is usually run: what the closed forms are measured against."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from terrarium.influence.gradients.loss_parts import Trained, Units
from terrarium.kge.models.scorer import Scorer, score_entities
from terrarium.kge.options import LossName
from terrarium.kge.training.memory import CacheCleanup, run_checkpointed
from terrarium.kge.training.precision import autocast_context

if TYPE_CHECKING:
    from terrarium.influence.options import EvaluationOptions

FP16_SCALE = 2.0**12
"""Small gradients vanish in fp16: the loss is multiplied by this and the gradient divided again."""


class BackwardPass:
    """The gradient of a triple as one vector over the chosen parameters."""

    def __init__(
        self, scorer: Scorer, trained: Trained, layers: Collection[str], evaluation: EvaluationOptions
    ) -> None:
        self._scorer, self._trained, self._evaluation = scorer, trained, evaluation
        self._parameters = [parameter for name, parameter in scorer.named_parameters() if name in layers]
        self._device = str(scorer.entity.weight.device)
        self._scale = FP16_SCALE if evaluation.precision in {"16-mixed", "mixed"} and "cuda" in self._device else 1.0
        self.cleanup = CacheCleanup(evaluation.cleanup_interval if evaluation.memory_cleanup else 0)

    def gradients(self, units: Units) -> Iterator[Tensor]:
        """(P,) for each triple of units, in their order."""
        count = len(units.question) // units.sides
        for place in range(count):
            with autocast_context(self._evaluation.precision, self._device):
                value = sum(self._value(units, place + side * count) for side in range(units.sides))
            yield self._gradient(value * self._scale) / self._scale
            self.cleanup.after_batch()

    def _gradient(self, value: Any) -> Tensor:
        found = torch.autograd.grad(value, self._parameters, allow_unused=True)
        parts = [
            torch.zeros_like(parameter) if part is None else part
            for parameter, part in zip(self._parameters, found, strict=True)
        ]
        return torch.cat([part.flatten() for part in parts])

    def _value(self, units: Units, part: int) -> Tensor:
        """a P(s) + b (sum of the answers' scores) + c (the own answer's score); the gradient of P is p in `units`."""
        scorer, question = self._scorer, units.question[part]
        asked = (torch.tensor([int(x[question])], device=self._device) for x in (units.entity, units.relation))
        checkpointing = self._evaluation.gradient_checkpointing
        query = run_checkpointed(scorer, *asked) if checkpointing else scorer(*asked)
        values = score_entities(query, scorer.entity.weight, scorer.bias)[0]
        values = values if values.dtype == torch.float64 else values.float()
        own = values[units.target[part]]
        found = units.own[part] * (self._lacking(values, own) if units.lacking else own)
        if units.whole[part]:
            found = found + units.whole[part] * potential(values, self._trained.loss, self._trained.smoothing)
        if units.others[part]:
            answers = units.answer[units.row == question]
            found = found + units.others[part] * values[torch.from_numpy(answers).to(values.device)].sum()
        return found

    def _lacking(self, values: Tensor, own: Tensor) -> Tensor:
        """What has u - 1 of `units` as its slope by the own score: -log sigmoid(s) for bce, (u - 1) s for softmax."""
        if self._trained.loss == "bce":
            return torch.nn.functional.softplus(-own)
        return (torch.exp(own - torch.logsumexp(values, 0)) - 1).detach() * own


def potential(values: Tensor, loss: LossName, smoothing: float) -> Tensor:
    """P(s): the loss of a row of N scores without its answers' terms."""
    smooth = values.sum() * (smoothing / len(values))
    if loss == "cross_entropy":
        return torch.logsumexp(values, 0) - smooth
    return (torch.nn.functional.softplus(values).sum() - smooth) / len(values)
