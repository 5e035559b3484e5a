"""Influence by one backward pass per triple, as TracIn is usually run: the reference for the closed forms."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from terrarium.influence.gradients.entity_sums import EntitySums
from terrarium.influence.gradients.loss_parts import LossParts, LossSpec, penalty_of_target
from terrarium.kge.models.scorer import Scorer, compute_moduli, score_entities
from terrarium.kge.options import LossName
from terrarium.kge.training.memory import CacheCleanup, run_checkpointed
from terrarium.kge.training.precision import autocast_context

if TYPE_CHECKING:
    from terrarium.influence.options import ScoringOptions

FP16_SCALE = 2.0**12
"""Small gradients underflow in fp16: the loss is multiplied by this, and the gradient divided by it."""


class AutogradGradients:
    """Gradients by backward passes, each as one vector over the selected parameters."""

    def __init__(
        self,
        scorer: Scorer,
        spec: LossSpec,
        layers: Collection[str],
        options: ScoringOptions,
        sums: EntitySums | None = None,
    ) -> None:
        """Take the model, the trained loss, the names of the parameters to differentiate by, memory options, and sums.

        `sums` are those that the entity embeddings consist of, if they do.
        """
        self._scorer, self._spec, self._options, self._sums = scorer, spec, options, sums
        self._parameters = [parameter for name, parameter in scorer.named_parameters() if name in layers]
        self._device = str(scorer.entity.weight.device)
        self._scale = FP16_SCALE if options.precision in {"16-mixed", "mixed"} and "cuda" in self._device else 1.0
        self._cleanup = CacheCleanup(options.cleanup_interval if options.cleanup else 0)

    def gradients(self, parts: LossParts) -> Iterator[Tensor]:
        """Yield the gradient (number of elements,) of each triple's parts."""
        count = parts.num_triples
        for triple in range(count):
            with autocast_context(self._options.precision, self._device):
                loss = sum(self._loss(parts, triple + side * count) for side in range(parts.directions))
            yield self._differentiate(loss * self._scale) / self._scale
            self._cleanup.after_batch()

    def _differentiate(self, loss: Any) -> Tensor:
        found = torch.autograd.grad(loss, self._parameters, allow_unused=True)
        gradients = [
            torch.zeros_like(parameter) if gradient is None else gradient
            for parameter, gradient in zip(self._parameters, found, strict=True)
        ]
        if self._sums is not None:
            table = self._scorer.entity.weight
            gradients = [
                self._sums.collect(gradient) if parameter is table else gradient
                for parameter, gradient in zip(self._parameters, gradients, strict=True)
            ]
        return torch.cat([gradient.flatten() for gradient in gradients])

    def _loss(self, parts: LossParts, part: int) -> Tensor:
        """Return a P(s) + b (sum of the answers' scores) + c (the target's score), where P has the gradient p."""
        scorer, queries, query = self._scorer, parts.queries, parts.query[part]
        entity, relation = (
            torch.tensor([int(ids[query])], device=self._device) for ids in (queries.entity, queries.relation)
        )
        encode = partial(run_checkpointed, scorer) if self._options.gradient_checkpointing else scorer
        embedding = encode(entity, relation, scorer.entity.weight)
        scored = score_entities(embedding, scorer.entity.weight, scorer.bias)[0]
        scored = scored if scored.dtype == torch.float64 else scored.float()
        target = scored[parts.target[part]]
        factors = parts.factors
        loss = factors.target[part] * (self._target_loss(scored, target) if factors.times_error else target)
        if factors.predictions[part]:
            loss = loss + factors.predictions[part] * potential(scored, self._spec.loss, self._spec.label_smoothing)
        if factors.answers[part]:
            answers = torch.from_numpy(queries.answer[queries.answer_query == query]).to(scored.device)
            loss = loss + factors.answers[part] * scored[answers].sum()
        return loss + self._spec.n3_weight * self._penalty(parts, part) if parts.is_penalized else loss

    def _penalty(self, parts: LossParts, part: int) -> Tensor:
        """Return the N3 penalty of a part: of its query, and of its target by the weight of the target's score."""
        scorer, query, factors = self._scorer, parts.query[part], parts.factors
        entity, relation = int(parts.queries.entity[query]), int(parts.queries.relation[query])
        head, tail = scorer.entity.weight[entity], scorer.entity.weight[int(parts.target[part])]
        vectors = head, scorer.relation.weight[relation], tail
        of_head, of_relation, of_target = (compute_moduli(v, scorer.options.name).pow(3).sum() for v in vectors)
        return (
            factors.predictions[part] * (of_head + of_relation)
            + penalty_of_target(factors, self._spec)[part] * of_target
        )

    def _target_loss(self, scored: Tensor, target: Tensor) -> Tensor:
        """Return a function of the scores with the derivative u - 1 by the target's score.

        It is -log sigmoid(s) for bce, and (u - 1) s with u held constant for softmax.
        """
        if self._spec.loss == "bce":
            return torch.nn.functional.softplus(-target)
        return (torch.exp(target - torch.logsumexp(scored, 0)) - 1).detach() * target


def potential(scored: Tensor, loss: LossName, label_smoothing: float) -> Tensor:
    """Return P(s), the loss of a row of scores (N,) without the terms of its answers; its gradient is p."""
    smooth = scored.sum() * (label_smoothing / len(scored))
    if loss == "cross_entropy":
        return torch.logsumexp(scored, 0) - smooth
    return (torch.nn.functional.softplus(scored).sum() - smooth) / len(scored)
