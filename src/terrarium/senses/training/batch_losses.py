"""The losses of a batch and the vectors they are computed from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from terrarium.common.arrays import Int64Array
from terrarium.senses.data.relations import ANTONYM, RELATIONS
from terrarium.senses.models.operators import normalize, query
from terrarium.senses.models.table import SenseTable
from terrarium.senses.options import LossOptions, TrainingOptions
from terrarium.senses.training import losses
from terrarium.senses.training.batches import Batch
from terrarium.senses.training.problem import Axes, Links
from terrarium.senses.training.taxonomy_kernel import add_taxonomy_gradient

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Leaf(NamedTuple):
    """Distinct rows (n,) of the table and their entries (n, D), which gradients are taken of."""

    rows: Tensor
    values: Tensor


class AxisVectors(NamedTuple):
    """Vectors of the named axes' pairs (A, D) and words (W, D), with the numbers of their axes and their signs."""

    first: Tensor
    second: Tensor
    words: Tensor
    pair_axis: Tensor
    word_axis: Tensor
    sign: Tensor


@dataclass(frozen=True, eq=False)
class BatchVectors:
    """The vectors of a batch; each row of the table is gathered once.

    The gradient of a sparse row goes to all of its entries, kept or not (straight-through estimator, Bengio, Leonard
    and Courville 2013), so that dropped entries can come back.

    Attributes:
        synset_leaf, offset_leaf: rows of the table and their entries, to differentiate by.
        head, tail: senses of the links (B, D).
        antonym_head, antonym_tail: senses of the antonyms (A, D).
        negatives: synsets (K, D).
        first, second: synsets of the taxonomy pairs (P, D).
        relation: relations of the links (B,).
        similarity: Lin similarity of the taxonomy pairs (P,).
        axes: vectors of the named axes; None without supervision.
    """

    synset_leaf: Leaf
    offset_leaf: Leaf
    head: Tensor
    tail: Tensor
    antonym_head: Tensor
    antonym_tail: Tensor
    negatives: Tensor
    first: Tensor
    second: Tensor
    relation: Tensor
    similarity: Tensor
    axes: AxisVectors | None


def gather_vectors(
    table: SenseTable, batch: Batch, axes: Axes | None, *, trainable: bool = False, link_weight: float = 1.0
) -> BatchVectors:
    """Return the vectors of a batch.

    Args:
        table: has the vectors.
        batch: the rows.
        axes: words of the named axes; None without supervision.
        trainable: whether the leaves require gradients.
        link_weight: fraction of the links' gradient that reaches synsets, 0 to 1; offsets of senses take all of it.
    """
    import torch

    links, antonyms = batch.links, batch.antonyms
    senses = [links.head, links.tail, antonyms.head, antonyms.tail]
    synsets = [batch.negatives, batch.first, batch.second]
    if axes is not None:
        synsets += [axes.first, axes.second, axes.word]
    rows, position = _distinct_rows([*senses, *synsets], table.device)
    offset_rows, offset_position, owner = _distinct_offsets(links, antonyms, table.device)
    synset_leaf = Leaf(rows, table.masked(rows).requires_grad_(trainable))
    offset_leaf = Leaf(offset_rows, table.offsets(owner, offset_rows).requires_grad_(trainable))
    codes = normalize(synset_leaf.values)
    by_links = codes.detach().lerp(codes, link_weight)
    counts = [2 * len(links), 2 * len(antonyms), len(batch.negatives)]
    ends, antonym_ends, drawn, others = torch.split(position, [*counts, len(position) - sum(counts)])
    own = torch.cat([by_links.index_select(0, ends), codes.index_select(0, antonym_ends)])
    moved = normalize(own + offset_leaf.values.index_select(0, offset_position))
    head, tail, antonym_head, antonym_tail = torch.split(moved, [len(part) for part in senses])
    first, second, *axis_rows = torch.split(codes.index_select(0, others), [len(part) for part in synsets[1:]])
    return BatchVectors(
        synset_leaf=synset_leaf,
        offset_leaf=offset_leaf,
        head=head,
        tail=tail,
        antonym_head=antonym_head,
        antonym_tail=antonym_tail,
        negatives=by_links.index_select(0, drawn),
        first=first,
        second=second,
        relation=torch.from_numpy(links.relation).to(table.device),
        similarity=torch.from_numpy(batch.similarity).to(table.device),
        axes=None if axes is None else AxisVectors(*axis_rows, *_axis_numbers(axes, table.device)),
    )


@dataclass(frozen=True, eq=False)
class BatchLosses:
    """Sum and number of items of each loss of a batch, by name."""

    sums: dict[str, tuple[Tensor, int]]

    def total(self, weights: dict[str, float], links: int) -> Tensor:
        """Return the weighted sum of the mean losses, times the number of links."""
        import torch

        terms = [weights[name] * value * (links / max(count, 1)) for name, (value, count) in self.sums.items()]
        return torch.stack(terms).sum()


class LossMeter:
    """Mean losses over batches."""

    def __init__(self, weights: dict[str, float]) -> None:
        self._weights = weights
        self._totals: dict[str, tuple[float, int]] = {}

    def add(self, batch: BatchLosses) -> None:
        """Add the losses of a batch."""
        for name, (value, count) in batch.sums.items():
            total, items = self._totals.get(name, (0.0, 0))
            self._totals[name] = total + float(value.detach()), items + count

    def means(self) -> dict[str, float]:
        """Return `loss`, the weighted sum of the means, and the mean of each loss."""
        means = {name: total / max(count, 1) for name, (total, count) in self._totals.items()}
        return {"loss": sum(self._weights[name] * value for name, value in means.items()), **means}


def loss_weights(options: TrainingOptions) -> dict[str, float]:
    """Return the weight of each loss by name."""
    return {
        "link": 1.0,
        "direction": options.loss.direction_weight,
        "taxonomy": options.loss.taxonomy_weight,
        "antonym": options.loss.antonym_weight,
        "polarity": options.named_axes.polarity_weight,
        "consistency": options.named_axes.consistency_weight,
    }


def batch_losses(table: SenseTable, vectors: BatchVectors, maps: Tensor, options: LossOptions) -> BatchLosses:
    """Return all losses of a batch.

    Args:
        table: gives the polar dimensions and the directed relations.
        vectors: of the batch.
        maps: (2 R, 1 + D, D) of the relations; gradients flow to them.
        options: of the losses. With matryoshka_dims, link and taxonomy loss are means over the prefixes
            (Kusupati et al. 2022).
    """
    logit_scale, widths = 1 / options.temperature, _widths(table, options)
    link = _mean(_link_loss(vectors, maps, width, logit_scale) for width in widths)
    direction = _direction_loss(table, vectors, maps, logit_scale)
    taxonomy = _mean(_taxonomy_loss(vectors, width) for width in widths)
    antonym = losses.antonym_losses(
        vectors.antonym_head, vectors.antonym_tail, table.polar, options.antonym_margin
    ).sum()
    sums = {
        "link": (link, len(vectors.head)),
        "direction": (direction, len(vectors.head)),
        "taxonomy": (taxonomy, len(vectors.first)),
        "antonym": (antonym, len(vectors.antonym_head)),
    }
    if vectors.axes is not None:
        axes, columns = vectors.axes, table.polar.nonzero()[:, 0]
        polarity = losses.polarity_losses(axes.first, axes.second, columns[axes.pair_axis % len(columns)])
        consistency = losses.consistency_losses(axes.words, columns[axes.word_axis % len(columns)], axes.sign)
        sums |= {"polarity": (polarity.sum(), len(axes.first)), "consistency": (consistency.sum(), len(axes.words))}
    return BatchLosses(sums)


def drop_taxonomy_pairs(batch: Batch) -> Batch:
    """Return a batch without taxonomy pairs, whose loss `add_taxonomy_loss` computes."""
    return replace(batch, first=batch.first[:0], second=batch.second[:0], similarity=batch.similarity[:0])


def add_taxonomy_loss(table: SenseTable, batch: Batch, gradient: Tensor, options: LossOptions) -> tuple[Tensor, int]:
    """Return the taxonomy loss as in `batch_losses` and add its gradient to that of the table; compiled for the CPU."""
    import torch

    widths, count = _widths(table, options), len(batch.first)
    factor = options.taxonomy_weight * len(batch.links) / max(count, 1) / len(widths)
    arrays = table.rows.numpy(), table.kept.numpy(), batch.first, batch.second, batch.similarity
    sums = [add_taxonomy_gradient(*arrays, factor, width, gradient.numpy()) for width in widths]
    return torch.tensor(sum(sums) / len(widths)), count


def _distinct_rows(rows: list[Int64Array], device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the distinct rows, and the position of each given row among them."""
    import torch

    distinct, position = torch.unique(torch.from_numpy(np.concatenate(rows)).to(device), return_inverse=True)
    return distinct, position


def _distinct_offsets(links: Links, antonyms: Links, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Return the distinct offset rows, the positions of heads and tails among them, and the synset of each."""
    import torch

    rows = np.concatenate([links.head_offset, links.tail_offset, antonyms.head_offset, antonyms.tail_offset])
    synset = np.concatenate([links.head, links.tail, antonyms.head, antonyms.tail])
    distinct, first, position = np.unique(rows, return_index=True, return_inverse=True)
    offsets, positions, owner = (torch.from_numpy(part).to(device) for part in (distinct, position, synset[first]))
    return offsets, positions, owner


def _axis_numbers(axes: Axes, device: torch.device) -> list[Tensor]:
    import torch

    return [torch.from_numpy(x).to(device) for x in (axes.pair_axis, axes.word_axis, axes.sign)]


def _link_loss(vectors: BatchVectors, maps: Tensor, width: int, logit_scale: float) -> Tensor:
    is_antonym = vectors.relation % len(RELATIONS) == ANTONYM
    head, tail, negatives = (_truncate(x, width) for x in (vectors.head, vectors.tail, vectors.negatives))
    queries = query(head, vectors.relation, maps[:, : 1 + width, :width])
    return losses.link_losses(queries, tail, negatives, (queries * head).sum(1), is_antonym, logit_scale).sum()


def _direction_loss(table: SenseTable, vectors: BatchVectors, maps: Tensor, logit_scale: float) -> Tensor:
    """Return the sum of the direction losses. They train the relations alone: rows would learn each pair by heart."""
    directed = table.directed.index_select(0, vectors.relation)
    head, tail = vectors.head.detach(), vectors.tail.detach()
    forward = (query(head, vectors.relation, maps) * tail).sum(1)
    reverse = (query(tail, vectors.relation, maps) * head).sum(1)
    return (losses.direction_losses(forward, reverse, logit_scale) * directed).sum()


def _taxonomy_loss(vectors: BatchVectors, width: int) -> Tensor:
    first, second = _truncate(vectors.first, width), _truncate(vectors.second, width)
    return losses.taxonomy_losses(first, second, vectors.similarity).sum()


def _widths(table: SenseTable, options: LossOptions) -> list[int]:
    return [*(width for width in options.matryoshka_dims if width < table.dim), table.dim]


def _truncate(vectors: Tensor, width: int) -> Tensor:
    return vectors if width == vectors.shape[1] else normalize(vectors[:, :width])


def _mean(values: Iterable[Tensor]) -> Tensor:
    import torch

    return torch.stack(list(values)).mean()
