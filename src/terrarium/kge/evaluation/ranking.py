"""Filtered realistic ranks of triples, both sides, in batches that fit the memory allowed for scores."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.kge.data.graph import HEAD, RELATION, TAIL, Triples
from terrarium.kge.data.queries import KnownAnswers
from terrarium.kge.models.scorer import Scorer, score_entities, upcast_half
from terrarium.kge.options import EvaluationOptions, Precision
from terrarium.kge.training.precision import autocast_context

ENCODING_BATCH = 2048
"""Entities encoded at a time where all are, for models without inverse relations."""


class ScoresNotFiniteError(ValueError):
    """Scores that give no rank."""


def rank_triples(scorer: Scorer, triples: Triples, known: KnownAnswers, options: EvaluationOptions) -> Float64Array:
    """Rank head and tail of triples among all entities.

    Args:
        scorer: the model; it is put into evaluation mode.
        triples: shape (n, 3).
        known: answers that do not count, except for the one whose rank is computed (filtered ranks).
        options: batch size, memory for scores, precision.

    Returns:
        Shape (n, 2): ranks from 1 of the heads and of the tails, see `realistic_ranks`.

    Raises:
        ScoresNotFiniteError: a score is not finite.
    """
    ranks = np.empty((len(triples), 2))
    scorer.eval()
    device = scorer.entity.weight.device
    with torch.inference_mode():
        for side in (HEAD, TAIL):
            inverse = scorer.num_relations if side == HEAD else 0
            for rows, scores in score_batches(scorer, triples, side, options):
                target, source = triples[rows, side], triples[rows, TAIL - side]
                known_row, known_entity = known.lookup(source, triples[rows, RELATION] + inverse)
                indices = (_to_tensor(array, device) for array in (target, known_row, known_entity))
                ranks[rows, side // TAIL] = realistic_ranks(scores, *indices).cpu().numpy()
    return ranks


def realistic_ranks(scores: Tensor, target: Tensor, known_row: Tensor, known_entity: Tensor) -> Tensor:
    """Return ranks from 1, the mean of best and worst position among equal scores (Berrendorf et al. 2020).

    Args:
        scores: (B, N), finite (see `require_finite`); those of known answers are overwritten.
        target: (B,) the entities to rank.
        known_row, known_entity: (K,) positions of all known answers, which do not count; targets may be among them.

    Returns:
        Shape (B,), 64 bits; multiples of one half.
    """
    rows = torch.arange(len(target), device=scores.device)
    target_scores = scores[rows, target]
    scores[known_row, known_entity] = -torch.inf
    scores[rows, target] = target_scores
    better = (scores > target_scores[:, None]).sum(1)
    equal = (scores == target_scores[:, None]).sum(1)
    return better.double() + (equal.double() + 1) / 2


def require_finite(scores: Tensor) -> Tensor:
    """Return the scores as they are.

    Raises:
        ScoresNotFiniteError: a score is not finite; its rank would depend on how the comparison treats it.
    """
    if not torch.isfinite(scores).all():
        raise ScoresNotFiniteError(
            "scores are not finite, so there are no ranks: train with precision 32-true or a lower learning rate"
        )
    return scores


def score_batches(
    scorer: Scorer, triples: Triples, side: int, options: EvaluationOptions
) -> Iterator[tuple[Int64Array, Tensor]]:
    """Score every entity as head or tail of triples.

    Query embeddings are computed in `options.precision`, scores in at least 32 bits: in 16 bits many of tens of
    thousands of entities have the same score.

    Args:
        scorer: the model.
        triples: shape (n, 3); their entity of that side is not read.
        side: HEAD or TAIL.
        options: batch size, memory for scores, precision.

    Yields:
        Rows (B,) of the triples, and scores (B, N) on the device of the model.

    Raises:
        ScoresNotFiniteError: a score is not finite.
    """
    size = max(1, min(options.batch_size, options.score_memory_mb * 1_000_000 // (8 * scorer.num_entities)))
    device = scorer.entity.weight.device
    if side == HEAD and not scorer.options.inverse_relations:
        yield from _score_heads(scorer, triples, size, options.precision)
        return
    inverse = scorer.num_relations if side == HEAD else 0
    for rows in np.split(np.arange(len(triples)), range(size, len(triples), size)):
        source, relation = triples[rows, TAIL - side], triples[rows, RELATION] + inverse
        query = _encode(scorer, _to_tensor(source, device), _to_tensor(relation, device), options.precision)
        yield rows, require_finite(score_entities(query, scorer.entity.weight, scorer.bias))


def _score_heads(
    scorer: Scorer, triples: Triples, size: int, precision: Precision
) -> Iterator[tuple[Int64Array, Tensor]]:
    """Score heads without inverse relations: encode every entity with the relation, and score the tails."""
    device = scorer.entity.weight.device
    for relation in np.unique(triples[:, RELATION]):
        queries = _encode_all(scorer, int(relation), precision)
        positions = np.flatnonzero(triples[:, RELATION] == relation)
        for rows in np.split(positions, range(size, len(positions), size)):
            tails = _to_tensor(triples[rows, TAIL], device)
            scores = scorer.entity.weight[tails] @ queries.T
            yield rows, require_finite(scores if scorer.bias is None else scores + scorer.bias[tails, None])


def _encode_all(scorer: Scorer, relation: int, precision: Precision) -> Tensor:
    """Return query embeddings (N, d) of every entity with one relation."""
    entities = torch.arange(scorer.num_entities, device=scorer.entity.weight.device)
    batches = torch.split(entities, ENCODING_BATCH)
    return torch.cat([_encode(scorer, batch, torch.full_like(batch, relation), precision) for batch in batches])


def _encode(scorer: Scorer, entity: Tensor, relation: Tensor, precision: Precision) -> Tensor:
    """Return query embeddings (B, d), computed in a precision and returned in at least 32 bits."""
    with autocast_context(precision, str(entity.device)):
        query: Tensor = scorer(entity, relation)
    return upcast_half(query)


def _to_tensor(array: Int64Array, device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).to(device)
