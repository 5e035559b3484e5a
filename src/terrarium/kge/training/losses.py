"""Losses of queries with several answers each, without a dense matrix of targets.

With label smoothing e, N entities, k answers P of a query, and scores s:

bce, binary cross entropy against y = (1 - e) [t in P] + e / N, mean over entities:
    (sum_t softplus(s_t) - (e / N) sum_t s_t - (1 - e) sum_{t in P} s_t) / N
cross_entropy, softmax cross entropy against y = (1 - e) [t in P] / k + e / N:
    logsumexp(s) - (e / N) sum_t s_t - ((1 - e) / k) sum_{t in P} s_t

Both are sums over entities. They can be taken chunk by chunk together with their gradients, so that never more than
the scores of one chunk are held (as in fused cross entropies, Wijmans et al. 2024).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from terrarium.kge.options import LossName


class LossSpec(NamedTuple):
    """Which loss: its name and label smoothing (0 to 1)."""

    name: LossName
    label_smoothing: float


class BatchAnswers(NamedTuple):
    """The answers of the B queries of a batch.

    Attributes:
        row, entity: (K,) for each answer, the row of its query and the entity.
        counts: (B,) number of answers per query.
        weight: (B,) weight of a query; 1 on average over an epoch.
    """

    row: Tensor
    entity: Tensor
    counts: Tensor
    weight: Tensor


def query_losses(
    scores: Tensor, answers: BatchAnswers, loss: LossName, label_smoothing: float, counts: Tensor | None = None
) -> Tensor:
    """Return the loss of each query, unweighted.

    Args:
        scores: of B queries and all entities, shape (B, N), or a sample of them, (B, C).
        answers: right answers of the queries, as columns of `scores`.
        loss: bce or cross_entropy.
        label_smoothing: fraction of the target mass that is spread over all entities.
        counts: (C,) how many entities each column stands for, together N; None for one each.

    Returns:
        Losses, shape (B,).
    """
    counts = torch.ones_like(scores[0]) if counts is None else counts.to(scores.dtype)
    num_entities = counts.sum()
    answer_scores = torch.zeros(len(scores), device=scores.device, dtype=scores.dtype)
    answer_scores = answer_scores.index_add(0, answers.row, scores[answers.row, answers.entity])
    smoothed = scores @ counts * (label_smoothing / num_entities)
    kept = 1 - label_smoothing
    if loss == "bce":
        return (torch.nn.functional.softplus(scores) @ counts - smoothed - kept * answer_scores) / num_entities
    return torch.logsumexp(scores + counts.log(), 1) - smoothed - kept * answer_scores / answers.counts


def mean_loss(scores: Tensor, answers: BatchAnswers, loss: LossSpec, counts: Tensor | None = None) -> Tensor:
    """Return the weighted mean of `query_losses`."""
    return (query_losses(scores, answers, loss.name, loss.label_smoothing, counts) * answers.weight).mean()


def chunked_mean_loss(
    query: Tensor, entity: Tensor, bias: Tensor | None, answers: BatchAnswers, loss: LossSpec, chunk_size: int
) -> Tensor:
    """Return `mean_loss` of the scores of all entities, computed `chunk_size` entities at a time.

    Args:
        query: query embeddings (B, d).
        entity: entity embeddings (N, d).
        bias: shape (N,), or None.
        answers: the answers of the queries.
        loss: which loss.
        chunk_size: entities scored at a time.

    Returns:
        A scalar with the value and gradients of `mean_loss`, up to rounding.
    """
    given = torch.zeros(len(entity), device=entity.device) if bias is None else bias
    value: Tensor = _ChunkedLoss.apply(query, entity, given, answers, loss, chunk_size)  # type: ignore[no-untyped-call]
    return value


class _ChunkedLoss(torch.autograd.Function):
    """Loss and gradients in one pass over the entities (two for cross_entropy); nothing of size B x N is kept."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, entity: Tensor, bias: Tensor, answers: BatchAnswers, loss: LossSpec, chunk_size: int
    ) -> Tensor:
        """Return the mean loss; its gradients are saved for the backward pass."""
        num_entities, rows = len(entity), len(query)
        is_bce, smoothing = loss.name == "bce", loss.label_smoothing
        spans = [(start, min(start + chunk_size, num_entities)) for start in range(0, num_entities, chunk_size)]
        kept = torch.nn.functional.linear(query, entity, bias).float() if len(spans) == 1 else None
        log_normalizer = None if is_bce else _logsumexp(query, entity, bias, spans, kept)
        losses = torch.zeros(rows, device=query.device) if log_normalizer is None else log_normalizer.clone()
        query_grad = torch.zeros(query.shape, device=query.device)
        entity_grad = torch.empty(entity.shape, device=entity.device)
        bias_grad = torch.empty(num_entities, device=entity.device)
        answer_weight = (1 - smoothing) / (torch.ones_like(answers.counts) if is_bce else answers.counts.float())
        weight = answers.weight.to(query.dtype)
        weighted_query = query * weight[:, None]
        for start, end in spans:
            scores = (
                torch.nn.functional.linear(query, entity[start:end], bias[start:end]).float() if kept is None else kept
            )
            inside = (answers.entity >= start) & (answers.entity < end)
            row, column = answers.row[inside], answers.entity[inside] - start
            answer_scores = torch.zeros(rows, device=query.device).index_add_(0, row, scores[row, column])
            losses -= scores.sum(1) * (smoothing / num_entities) + answer_scores * answer_weight
            if log_normalizer is None:
                losses += torch.nn.functional.softplus(scores).sum(1)
                score_grad = torch.sigmoid(scores)
            else:
                score_grad = torch.exp(scores - log_normalizer[:, None])
            score_grad -= smoothing / num_entities
            score_grad.index_put_((row, column), -answer_weight[row], accumulate=True)
            query_grad += score_grad.to(query.dtype) @ entity[start:end].to(query.dtype)
            entity_grad[start:end] = score_grad.to(query.dtype).T @ weighted_query
            bias_grad[start:end] = score_grad.to(query.dtype).T @ weight
        query_grad *= weight[:, None]
        scale = 1 / (rows * num_entities) if is_bce else 1 / rows
        ctx.save_for_backward(*(gradient.mul_(scale) for gradient in (query_grad, entity_grad, bias_grad)))
        ctx.dtypes = query.dtype, entity.dtype, bias.dtype
        return (losses * answers.weight).mean() / (num_entities if is_bce else 1)

    @staticmethod
    def backward(ctx: Any, *outputs: Tensor) -> tuple[Tensor | None, ...]:
        """Return the saved gradients times the incoming one, in place: they are as large as the entity embeddings."""
        gradients = zip(ctx.saved_tensors, ctx.dtypes, strict=True)
        return *(gradient.mul_(outputs[0]).to(dtype) for gradient, dtype in gradients), None, None, None


def _logsumexp(
    query: Tensor, entity: Tensor, bias: Tensor, spans: list[tuple[int, int]], kept: Tensor | None
) -> Tensor:
    """Return the logarithm of the summed exponentials of all scores, of which `kept` are those of a single span."""
    if kept is not None:
        return torch.logsumexp(kept, 1)
    parts = [torch.logsumexp(torch.nn.functional.linear(query, entity[a:b], bias[a:b]).float(), 1) for a, b in spans]
    return torch.logsumexp(torch.stack(parts), 0)


def n3_penalty(head: Tensor, relation: Tensor, tail: Tensor, answers: BatchAnswers) -> Tensor:
    """Return the N3 penalty (Lacroix et al. 2018).

    It is the weighted mean over queries of |h|^3 + |r|^3 + mean over answers of |t|^3, summed over dimensions.

    Args:
        head, relation: moduli (B, k) of the embeddings of the queries.
        tail: moduli (K, k) of the embeddings of the answers.
        answers: the answers of the queries.
    """
    answer_terms = tail.pow(3).sum(-1) * (answers.weight / answers.counts)[answers.row]
    query_terms = (head.pow(3).sum(-1) + relation.pow(3).sum(-1)) * answers.weight
    return (query_terms.sum() + answer_terms.sum()) / len(answers.counts)


def relation_loss(query: Tensor, relations: Tensor, relation: Tensor, answers: BatchAnswers) -> Tensor:
    """Return the cross entropy of predicting the relation from head and tail (Chen et al. 2021).

    It is the weighted mean over queries of the mean over answers of -log p(r | h, t).

    Args:
        query: (K, d) for each answer, the vector that scores relations (see `scorer.relation_query`).
        relations: embeddings (R, d) of all relations.
        relation: (B,) relations of the queries.
        answers: the answers of the queries.
    """
    scores = torch.nn.functional.linear(query, relations).float()
    losses = torch.nn.functional.cross_entropy(scores, relation[answers.row], reduction="none")
    return (losses * (answers.weight / answers.counts)[answers.row]).sum() / len(answers.counts)
