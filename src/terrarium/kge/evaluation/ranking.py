"""Ranks of triples under a scorer, both sides, in batches that fit the memory allowed for scores."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terrarium.common.arrays import Int64Array
from terrarium.kge.data.graph import HEAD, RELATION, TAIL, Triples
from terrarium.kge.data.queries import KnownAnswers
from terrarium.kge.evaluation.realistic_rank import finite, realistic_ranks
from terrarium.kge.models.scorer import Scorer, score_entities, upcast_half
from terrarium.kge.options import EvaluationOptions, Precision
from terrarium.kge.training.precision import autocast_context

ENCODED_AT_ONCE = 2048
"""Queries of all entities are encoded in pieces where a scorer has no way back."""


def rank_triples(
    scorer: Scorer, triples: Triples, known: KnownAnswers, options: EvaluationOptions
) -> NDArray[np.float64]:
    """(n, 2) filtered realistic ranks: of the head among all heads, of the tail among all tails.

    Raises:
        ScoresNotFiniteError: a score is not a finite number.
    """
    found = np.empty((len(triples), 2))
    scorer.eval()
    device = scorer.entity.weight.device
    with torch.inference_mode():
        for side in (HEAD, TAIL):
            for rows, values in score_batches(scorer, triples, side, options):
                target = triples[rows, side]
                asked, relation = triples[rows, TAIL - side], triples[rows, RELATION]
                places = known.lookup(asked, relation + (scorer.num_relations if side == HEAD else 0))
                ranks = realistic_ranks(values, *(_on(device, part) for part in (target, *places)))
                found[rows, side // TAIL] = ranks.cpu().numpy()
    return found


def score_batches(
    scorer: Scorer, triples: Triples, side: int, options: EvaluationOptions
) -> Iterator[tuple[Int64Array, Tensor]]:
    """Rows of `triples` and their (B, N) scores of every entity as head or as tail.

    Queries are computed in the precision asked for, scores in at least 32 bits: of tens of thousands of entities
    many have the same score in 16.

    Raises:
        ScoresNotFiniteError: a score is not a finite number.
    """
    size = max(1, min(options.batch_size, options.score_memory_mb * 1_000_000 // (8 * scorer.num_entities)))
    device, bias = scorer.entity.weight.device, scorer.bias
    if side == HEAD and not scorer.options.inverse_relations:
        yield from _score_heads(scorer, triples, size, options.precision)
        return
    back = scorer.num_relations if side == HEAD else 0
    for rows in np.split(np.arange(len(triples)), range(size, len(triples), size)):
        asked, relation = triples[rows, TAIL - side], triples[rows, RELATION] + back
        query = _encode(scorer, _on(device, asked), _on(device, relation), options.precision)
        yield rows, finite(score_entities(query, scorer.entity.weight, bias))


def _score_heads(
    scorer: Scorer, triples: Triples, size: int, precision: Precision
) -> Iterator[tuple[Int64Array, Tensor]]:
    """Without a way back every entity is asked with the relation, and the answers' scores are read off."""
    device = scorer.entity.weight.device
    for relation in np.unique(triples[:, RELATION]):
        every = _encode_all(scorer, int(relation), precision)
        of_relation = np.flatnonzero(triples[:, RELATION] == relation)
        for rows in np.split(of_relation, range(size, len(of_relation), size)):
            tails = _on(device, triples[rows, TAIL])
            values = scorer.entity.weight[tails] @ every.T
            yield rows, finite(values if scorer.bias is None else values + scorer.bias[tails, None])


def _encode_all(scorer: Scorer, relation: int, precision: Precision) -> Tensor:
    """(N, d) queries of every entity with one relation."""
    every = torch.arange(scorer.num_entities, device=scorer.entity.weight.device)
    parts = torch.split(every, ENCODED_AT_ONCE)
    return torch.cat([_encode(scorer, part, torch.full_like(part, relation), precision) for part in parts])


def _encode(scorer: Scorer, entity: Tensor, relation: Tensor, precision: Precision) -> Tensor:
    """(B, d) queries, computed in a precision and given in at least 32 bits."""
    with autocast_context(precision, str(entity.device)):
        query: Tensor = scorer(entity, relation)
    return upcast_half(query)


def _on(device: torch.device, array: NDArray[np.int64]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).to(device)
