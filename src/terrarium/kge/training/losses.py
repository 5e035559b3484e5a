"""The losses of rows of scores with several right answers each, without a dense matrix of targets.

With e the smoothing, N entities, k right answers P of a row, and s the scores:

binary cross-entropy against y = (1 - e) [t in P] + e / N, mean over entities:
    (sum_t softplus(s_t) - (e / N) sum_t s_t - (1 - e) sum_{t in P} s_t) / N
softmax cross-entropy against y = (1 - e) [t in P] / k + e / N:
    logsumexp(s) - (e / N) sum_t s_t - ((1 - e) / k) sum_{t in P} s_t

Both are sums over entities, so they can be taken chunk by chunk, with their gradients, and no more scores than a
chunk's are ever held (the idea of fused cross-entropies, such as Wijmans 2024).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

LossName = Literal["bce", "cross_entropy"]


@dataclass(frozen=True)
class BatchAnswers:
    """The right answers of B rows.

    Attributes:
        row, entity: (K,) of each answer, the place of its row, and the entity.
        count: (B,) how many a row has.
        weight: (B,) how much a row counts, 1 on average over the training.
    """

    row: Tensor
    entity: Tensor
    count: Tensor
    weight: Tensor


def query_losses(scores: Tensor, answers: BatchAnswers, kind: LossName, smoothing: float) -> Tensor:
    """(B,) losses of (B, N) scores."""
    entities = scores.shape[1]
    right = torch.zeros(len(scores), device=scores.device, dtype=scores.dtype)
    right = right.index_add(0, answers.row, scores[answers.row, answers.entity])
    everywhere = scores.sum(1) * (smoothing / entities)
    if kind == "bce":
        return (torch.nn.functional.softplus(scores).sum(1) - everywhere - (1 - smoothing) * right) / entities
    return torch.logsumexp(scores, 1) - everywhere - (1 - smoothing) * right / answers.count


def mean_loss(scores: Tensor, answers: BatchAnswers, kind: LossName, smoothing: float) -> Tensor:
    """The mean of `query_losses`, each times its weight."""
    return (query_losses(scores, answers, kind, smoothing) * answers.weight).mean()


def chunked_mean_loss(
    query: Tensor,
    entity: Tensor,
    bias: Tensor | None,
    answers: BatchAnswers,
    kind: LossName,
    smoothing: float,
    chunk: int,
) -> Tensor:
    """`mean_loss` of all scores, `chunk` entities at a time; equal in value and gradients."""
    settings = (kind, smoothing, chunk)
    given = torch.zeros(len(entity), device=entity.device) if bias is None else bias
    loss: Tensor = _ChunkedLoss.apply(query, entity, given, answers, settings)  # type: ignore[no-untyped-call]
    return loss


class _ChunkedLoss(torch.autograd.Function):
    """Loss and gradients in one pass over the entities, two for softmax; nothing of the size B x N is kept."""

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        entity: Tensor,
        bias: Tensor,
        answers: BatchAnswers,
        settings: tuple[LossName, float, int],
    ) -> Tensor:
        """The mean loss; the gradients are ready for the way back."""
        kind, smoothing, chunk = settings
        count, rows = len(entity), len(query)
        spans = [(start, min(start + chunk, count)) for start in range(0, count, chunk)]
        normaliser = _logsumexp(query, entity, bias, spans) if kind == "cross_entropy" else None
        losses = torch.zeros(rows, device=query.device) if normaliser is None else normaliser.clone()
        to_query = torch.zeros(query.shape, device=query.device)
        to_entity, to_bias = torch.empty(entity.shape, device=entity.device), torch.empty(count, device=entity.device)
        of_answer = (1 - smoothing) / (
            answers.count.float() if kind == "cross_entropy" else torch.ones_like(answers.count)
        )
        weight = answers.weight.to(query.dtype)
        heavy = query * weight[:, None]
        for start, end in spans:
            scores = torch.nn.functional.linear(query, entity[start:end], bias[start:end]).float()
            inside = (answers.entity >= start) & (answers.entity < end)
            row, column = answers.row[inside], answers.entity[inside] - start
            right = torch.zeros(rows, device=query.device).index_add_(0, row, scores[row, column])
            losses -= scores.sum(1) * (smoothing / count) + right * of_answer
            if normaliser is None:
                losses += torch.nn.functional.softplus(scores).sum(1)
                slope = torch.sigmoid(scores)
            else:
                slope = torch.exp(scores - normaliser[:, None])
            slope -= smoothing / count
            slope.index_put_((row, column), -of_answer[row], accumulate=True)
            to_query += slope.to(query.dtype) @ entity[start:end].to(query.dtype)
            to_entity[start:end] = slope.to(query.dtype).T @ heavy
            to_bias[start:end] = slope.to(query.dtype).T @ weight
        to_query *= weight[:, None]
        scale = 1 / (rows * count) if kind == "bce" else 1 / rows
        ctx.save_for_backward(*(gradient.mul_(scale) for gradient in (to_query, to_entity, to_bias)))
        ctx.dtypes = query.dtype, entity.dtype, bias.dtype
        return (losses * answers.weight).mean() / (count if kind == "bce" else 1)

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:
        """The stored gradients times that of what follows, in place: they are as large as the table of entities."""
        parts = zip(ctx.saved_tensors, ctx.dtypes, strict=True)
        return *(gradient.mul_(outputs[0]).to(dtype) for gradient, dtype in parts), None, None


def _logsumexp(query: Tensor, entity: Tensor, bias: Tensor, spans: list[tuple[int, int]]) -> Tensor:
    parts = [torch.logsumexp(torch.nn.functional.linear(query, entity[a:b], bias[a:b]).float(), 1) for a, b in spans]
    return torch.logsumexp(torch.stack(parts), 0)


def n3_penalty(head: Tensor, relation: Tensor, tail: Tensor, answers: BatchAnswers) -> Tensor:
    """Weighted mean over rows of |h|^3 + |r|^3 + mean of |t|^3 over the answers, summed over numbers (Lacroix 2018).

    `head` and `relation` (B, k) are the moduli of the rows, `tail` (K, k) those of the right answers.
    """
    of_answers = tail.pow(3).sum(-1) * (answers.weight / answers.count)[answers.row]
    of_rows = (head.pow(3).sum(-1) + relation.pow(3).sum(-1)) * answers.weight
    return (of_rows.sum() + of_answers.sum()) / len(answers.count)
