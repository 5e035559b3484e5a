"""Influence of all training triples on query triples, block by block, so that memory does not grow with the graph."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import islice

import numpy as np
import torch
from rich import get_console
from rich.progress import track
from torch import Tensor

from terrarium.common.arrays import Float64Array, Int64Array
from terrarium.influence.gradients.autograd import AutogradGradients
from terrarium.influence.gradients.loss_parts import LossParts, LossSpec
from terrarium.influence.scoring.context import InfluenceContext
from terrarium.kge.data.graph import Triples
from terrarium.kge.models.scorer import Scorer
from terrarium.kge.training.memory import CacheCleanup

logger = logging.getLogger(__name__)

AUTOGRAD_BATCH = 16
"""Gradients of backward passes that are multiplied together."""
TINY = 1e-30
"""A gradient of length 0 has no direction: its cosine is 0, not undefined."""


class InfluenceNotFiniteError(ValueError):
    """Influences that overflowed."""


def stream_influence(
    context: InfluenceContext, queries: Triples, index: Int64Array | None = None
) -> Iterator[tuple[Int64Array, Tensor]]:
    """Yield influences block by block: indices (B,) of training triples and their influences (B, T).

    The influence is the sum over checkpoints of learning rate times dot product of gradients (TracInCP, Pruthi et al.
    2020), divided by both lengths with `normalization: cosine`, and multiplied by the inverse of a curvature with
    `hessian` (see `fisher`), which takes all training triples at once.

    Args:
        context: checkpoints, training triples and options.
        queries: (T, 3) query triples; T is the order of the columns.
        index: training triples to score; None: all.
    """
    parts = context.query_parts(queries)
    if context.fisher is None:
        yield from _stream_products(context, parts, index)
        return
    with torch.inference_mode():
        influences = context.fisher.multiply(_gather(context, parts), partial(_fisher_products, context))
    rows = np.arange(len(context.train)) if index is None else index
    yield rows, require_finite(influences[torch.from_numpy(rows).to(influences.device)])


def _fisher_products(context: InfluenceContext) -> Tensor:
    """Return the influences (n, n) of training triples on each other at the last epoch, without a curvature."""
    last = [snapshot for snapshot in context.snapshots if snapshot.epoch == context.epochs[-1]]
    context = replace(context, snapshots=last)
    blocks = np.array_split(np.arange(len(context.train)), -(-len(context.train) // context.scoring.batch_size))
    logger.info(
        "Inverse Fisher matrix: influences of %s training triples on each other; attribution.hessian: none skips it",
        f"{len(context.train):,}",
    )
    shown = track(blocks, "Inverse Fisher matrix", disable=not get_console().is_terminal)
    columns = [_gather(context, context.training_parts(block)) for block in shown]
    products = torch.cat(columns, dim=1)
    trained = torch.from_numpy(context.is_trained).to(products)
    products *= trained
    return products


def _gather(context: InfluenceContext, parts: LossParts) -> Tensor:
    """Return the influences (n, T) of all training triples on T triples, given by their parts."""
    blocks = list(_stream_products(context, parts, None))
    order = np.argsort(np.concatenate([block for block, _ in blocks]))
    return torch.cat([values for _, values in blocks])[torch.from_numpy(order).to(blocks[0][1].device)]


def _stream_products(
    context: InfluenceContext, parts: LossParts, index: Int64Array | None
) -> Iterator[tuple[Int64Array, Tensor]]:
    """Yield influences without the inverse of a curvature; triples that only shape embeddings come last, with 0."""
    rows = np.arange(len(context.train)) if index is None else index
    trained = context.is_trained[rows]
    stream = _stream_autograd if context.attribution.method == "autograd" else _stream_closed_form
    yield from stream(context, parts, rows[trained])
    if not trained.all():
        yield rows[~trained], context.scorer.entity.weight.new_zeros(int((~trained).sum()), parts.num_triples)


def _stream_closed_form(
    context: InfluenceContext, parts: LossParts, index: Int64Array
) -> Iterator[tuple[Int64Array, Tensor]]:
    is_cosine = context.attribution.normalization == "cosine"
    cleanup = CacheCleanup(context.scoring.cleanup_interval if context.scoring.cleanup else 0)
    with torch.inference_mode(), context.autocast():
        by_checkpoint = [context.query_gradients(number, parts) for number in range(len(context.snapshots))]
        query_norms = _self_influence(context, parts) if is_cosine else None
        extra = context.floats_per_norm if is_cosine else 0
        for block in split_blocks(context, index, extra + max(one.floats_per_part for one in by_checkpoint)):
            training_parts = context.training_parts(block)
            total = torch.zeros((), device=context.scorer.entity.weight.device)
            norms = torch.zeros_like(total)
            for number, (snapshot, query_gradients) in enumerate(zip(context.snapshots, by_checkpoint, strict=True)):
                gradients = context.gradients(number, training_parts)
                products = query_gradients.dot_products(gradients, context.directions)
                total = total + snapshot.learning_rate * products
                if is_cosine:
                    norms = norms + snapshot.learning_rate * context.squared_norms(gradients)
            if query_norms is not None:
                total = total * torch.rsqrt(norms.clamp_min(TINY))[:, None] * torch.rsqrt(query_norms.clamp_min(TINY))
            yield block, require_finite(total)
            cleanup.after_batch()


def influence_matrix(context: InfluenceContext, queries: Triples, index: Int64Array | None = None) -> Float64Array:
    """Return the influences (n, T) of all training triples, or of those at `index`, on T query triples."""
    rows = np.arange(len(context.train)) if index is None else index
    matrix, order = np.full((len(rows), len(queries)), np.nan), np.argsort(rows)
    for block, values in stream_influence(context, queries, rows):
        matrix[order[np.searchsorted(rows, block, sorter=order)]] = values.detach().double().cpu().numpy()
    return matrix


def self_influence(context: InfluenceContext, index: Int64Array | None = None) -> Float64Array:
    """Return self-influences (n,) of all training triples, or of those at `index`.

    The self-influence is the sum over checkpoints of learning rate times squared length of the gradient, and 0 for
    triples that only shape embeddings.
    """
    rows = np.arange(len(context.train)) if index is None else index
    values, order = np.zeros(len(rows)), np.argsort(rows)
    with torch.inference_mode(), context.autocast():
        for block in split_blocks(context, rows[context.is_trained[rows]], context.floats_per_norm):
            own = _self_influence(context, context.training_parts(block))
            values[order[np.searchsorted(rows, block, sorter=order)]] = own.double().cpu().numpy()
    return values


def query_self_influence(context: InfluenceContext, queries: Triples) -> Float64Array:
    """Return self-influences (T,) of query triples (T, 3)."""
    if not len(queries):
        return np.empty(0)
    with torch.inference_mode(), context.autocast():
        batches = np.split(queries, range(context.scoring.batch_size, len(queries), context.scoring.batch_size))
        total = torch.cat([_self_influence(context, context.query_parts(batch)) for batch in batches])
    return total.double().cpu().numpy()


def split_blocks(context: InfluenceContext, index: Int64Array | None, floats_per_part: int) -> Iterator[Int64Array]:
    """Yield indices of training triples, as many per block as `block_mb` allows at so many floats per part.

    The triples are ordered so that few queries are in more than one block.
    """
    index = np.arange(len(context.train)) if index is None else index
    if not len(index):
        return
    order = index[_order_by_query(context.train[index], context.loss_spec)]
    per_triple = bytes_per_triple(context.scorer, context.loss_spec, floats_per_part)
    size = max(1, context.scoring.block_mb * 1_000_000 // per_triple)
    yield from np.split(order, range(size, len(order), size))


def bytes_per_triple(scorer: Scorer, spec: LossSpec, floats_per_part: int) -> int:
    """Return the memory of a triple while its block is processed: `floats_per_part`, gradients, and ConvE's maps."""
    maps = 0
    if scorer.options.name == "conve":
        image = scorer.options.image()
        maps = scorer.options.output_channels * image.map_height * image.map_width
        maps += 9 * scorer.options.dimension * 2
    floats = floats_per_part + 8 * maps + 16 * scorer.options.dimension
    return scorer.entity.weight.itemsize * spec.directions * floats


def _order_by_query(triples: Triples, spec: LossSpec) -> Int64Array:
    """Return an order of triples (n, 3) in which few queries are in more than one block.

    The triples of a relation are sorted by the end that has more distinct entities; those of the other end are in every
    block anyway.
    """
    head, relation, tail = triples.T
    distinct_tails, distinct_heads = (
        np.bincount(np.unique(relation * spec.num_entities + end) // spec.num_entities, minlength=spec.num_relations)
        for end in (tail, head)
    )
    first = np.where((distinct_tails < distinct_heads)[relation], head, tail)
    return np.lexsort((head + tail - first, first, relation))


def _self_influence(context: InfluenceContext, parts: LossParts) -> Tensor:
    total = torch.zeros(())
    for number, snapshot in enumerate(context.snapshots):
        gradients = context.gradients(number, parts)
        own = snapshot.learning_rate * context.squared_norms(gradients)
        total = own + total.to(context.scorer.entity.weight.device)
    return total


def _stream_autograd(
    context: InfluenceContext, parts: LossParts, index: Int64Array
) -> Iterator[tuple[Int64Array, Tensor]]:
    passes = [
        AutogradGradients(snapshot.scorer, context.loss_spec, context.layers, context.scoring, context.sums)
        for snapshot in context.snapshots
    ]
    query_gradients = [torch.stack(list(one.gradients(parts))) for one in passes]
    for block in split_blocks(context, index, len(query_gradients[0])):
        training_parts = context.training_parts(block)
        total = torch.zeros(len(block), len(query_gradients[0]), device=context.scorer.entity.weight.device)
        for snapshot, one, own in zip(context.snapshots, passes, query_gradients, strict=True):
            total = total + snapshot.learning_rate * torch.cat(list(_multiply(one.gradients(training_parts), own)))
        yield block, require_finite(total)


def require_finite(influences: Tensor) -> Tensor:
    """Return the influences as they are.

    Raises:
        InfluenceNotFiniteError: one is not finite.
    """
    if not torch.isfinite(influences).all():
        raise InfluenceNotFiniteError(
            "influences are not finite, so they have no order: set influence.scoring.precision to 32-true"
        )
    return influences


def _multiply(gradients: Iterator[Tensor], query_gradients: Tensor) -> Iterator[Tensor]:
    """Yield dot products (b, T) of some gradients at a time with those of the query triples (T, number of elements)."""
    while batch := list(islice(gradients, AUTOGRAD_BATCH)):
        yield torch.stack(batch) @ query_gradients.T
