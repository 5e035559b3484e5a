"""The losses of a batch: its vectors, gathered once, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from terrarium.senses.data.relations import ANTONYM, RELATIONS
from terrarium.senses.models.table import SenseTable
from terrarium.senses.options import TrainingOptions
from terrarium.senses.training import kernel
from terrarium.senses.training import losses as objective
from terrarium.senses.training.batches import Batch
from terrarium.senses.training.problem import Axes, Links

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Losses:
    """Sums over a batch, by part, and the number of items of each."""

    parts: dict[str, tuple[Tensor, int]]

    def total(self, weights: dict[str, float], links: int) -> Tensor:
        """What is differentiated: the weighted mean of each part, times the number of links."""
        import torch

        terms = [weights[name] * value * (links / max(count, 1)) for name, (value, count) in self.parts.items()]
        return torch.stack(terms).sum()


class Sums:
    """Losses added up over batches."""

    def __init__(self, weights: dict[str, float]) -> None:
        self._weights = weights
        self._totals: dict[str, tuple[float, int]] = {}

    def add(self, losses: Losses) -> None:
        """Add those of a batch."""
        for name, (value, count) in losses.parts.items():
            total, seen = self._totals.get(name, (0.0, 0))
            self._totals[name] = total + float(value.detach()), seen + count

    def means(self) -> dict[str, float]:
        """Mean of each part, and `loss`, their weighted sum."""
        means = {name: total / max(count, 1) for name, (total, count) in self._totals.items()}
        return {"loss": sum(self._weights[name] * value for name, value in means.items()), **means}


class Leaves:
    """The vectors of a batch, each row gathered once, and the rows that their gradients go to.

    The gradient of a sparse row goes to all of its entries, kept or not (straight through, Bengio, Léonard and
    Courville 2013), so that entries that were dropped can come back.

    Attributes:
        head, tail, antonyms: senses (B, D) and (A, D).
        negatives, first, second: synsets (K, D) and (P, D).
        relation, similarity: of the batch.
        axes: the vectors of the named axes with their numbers; None without supervision.
        pairs: rows and values, to differentiate by.
    """

    def __init__(self, table: SenseTable, batch: Batch, axes: Axes | None, *, trained: bool = False) -> None:
        import torch

        links, antonyms = batch.links, batch.antonyms
        named = [] if axes is None else [axes.first, axes.second, axes.word]
        own = [links.head, links.tail, antonyms.head, antonyms.tail, batch.negatives, batch.first, batch.second]
        synsets, place = _distinct([*own, *named], table.device)
        offsets, move, owner = _offsets(links, antonyms, table.device)
        masked = table.masked(synsets).requires_grad_(trained)
        moved = table.offsets(owner, offsets).requires_grad_(trained)
        self.pairs = [(synsets, masked), (offsets, moved)]
        every = objective.normalise(masked).index_select(0, place)
        codes, others = every[: len(move)], every[len(move) :]
        senses = objective.normalise(codes + moved.index_select(0, move))
        self.head, self.tail, *opposed = torch.split(senses, [len(part) for part in own[:4]])
        self.antonyms = opposed[0], opposed[1]
        self.negatives, self.first, self.second, *axes_rows = torch.split(
            others, [len(part) for part in (*own[4:], *named)]
        )
        self.relation = torch.from_numpy(links.relation).to(table.device)
        self.similarity = torch.from_numpy(batch.similarity).to(table.device)
        self.axes = None if axes is None else (*axes_rows, *_numbers(axes, table.device))


def _distinct(rows: list[np.ndarray], device: torch.device) -> tuple[Tensor, Tensor]:
    """Distinct rows, and where each of the lists, one after the other, finds its own among them."""
    import torch

    distinct, place = torch.unique(torch.from_numpy(np.concatenate(rows)).to(device), return_inverse=True)
    return distinct, place


def _offsets(links: Links, antonyms: Links, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Distinct rows of offsets, their places for heads and tails of links and antonyms, and the synset of each."""
    import torch

    rows = np.concatenate([links.head_offset, links.tail_offset, antonyms.head_offset, antonyms.tail_offset])
    synset = np.concatenate([links.head, links.tail, antonyms.head, antonyms.tail])
    distinct, first, place = np.unique(rows, return_index=True, return_inverse=True)
    found, places, owner = (torch.from_numpy(part).to(device) for part in (distinct, place, synset[first]))
    return found, places, owner


def _numbers(axes: Axes, device: torch.device) -> list[Tensor]:
    import torch

    return [torch.from_numpy(x).to(device) for x in (axes.pair_axis, axes.word_axis, axes.sign)]


def batch_losses(
    table: SenseTable, batch: Batch, axes: Axes | None, leaves: Leaves, options: TrainingOptions
) -> Losses:
    """All parts; with nested widths, links and taxonomy are the means over the widths (Kusupati et al. 2022)."""
    widths = _widths(table, options)
    asked = table.ask(leaves.head, leaves.relation)
    parts = {
        "link": (_mean(_link(asked, leaves, width, options.temperature) for width in widths), len(batch.links)),
        "direction": (_direction(table, asked, leaves, options.temperature), len(batch.links)),
        "taxonomy": (_mean(_taxonomy(leaves, width) for width in widths), len(batch.first)),
        "opposition": (
            objective.opposition_losses(*leaves.antonyms, table.polar, options.margin).sum(),
            len(batch.antonyms),
        ),
    }
    if leaves.axes is not None and axes is not None:
        columns = table.polar.nonzero()[:, 0]
        first, second, words, pair_axis, word_axis, sign = leaves.axes
        polarity = objective.polarity_losses(first, second, columns[pair_axis % len(columns)])
        consistency = objective.consistency_losses(words, columns[word_axis % len(columns)], sign)
        parts |= {"polarity": (polarity.sum(), len(axes.first)), "consistency": (consistency.sum(), len(axes.word))}
    return Losses(parts)


def without_taxonomy(batch: Batch) -> Batch:
    """A batch without the pairs of the taxonomy, for which `add_taxonomy` stands."""
    nothing = {name: getattr(batch, name)[:0] for name in ("first", "second", "similarity")}
    return replace(batch, **nothing)


def add_taxonomy(table: SenseTable, batch: Batch, gradient: Tensor, options: TrainingOptions) -> tuple[Tensor, int]:
    """The compiled loss of the taxonomy's pairs, as in `batch_losses`; its gradient is added to the table's."""
    import torch

    widths, count = _widths(table, options), len(batch.first)
    factor = options.taxonomy_weight * len(batch.links) / max(count, 1) / len(widths)
    arrays = table.rows.numpy(), table.kept.numpy(), batch.first, batch.second, batch.similarity
    sums = [kernel.add_taxonomy_gradient(*arrays, factor, width, gradient.numpy()) for width in widths]
    return torch.tensor(sum(sums) / len(widths)), count


def chunks(batch: Batch, size: int) -> Iterator[Batch]:
    """A batch in parts of at most `size` links, each with its share of everything but the negatives."""
    count = -(-len(batch.links) // size)
    for i in range(count):
        links, near, opposed = (
            np.arange(i, total, count) for total in (len(batch.links), len(batch.first), len(batch.antonyms))
        )
        yield Batch(
            links=batch.links.take(links),
            negatives=batch.negatives,
            first=batch.first[near],
            second=batch.second[near],
            similarity=batch.similarity[near],
            antonyms=batch.antonyms.take(opposed),
        )


def _link(asked: Tensor, leaves: Leaves, width: int, temperature: float) -> Tensor:
    opposed = leaves.relation % len(RELATIONS) == ANTONYM
    queries, tails, heads, negatives = (_cut(x, width) for x in (asked, leaves.tail, leaves.head, leaves.negatives))
    return objective.link_losses(queries, tails, negatives, (queries * heads).sum(1), opposed, temperature).sum()


def _direction(table: SenseTable, asked: Tensor, leaves: Leaves, temperature: float) -> Tensor:
    """Over the links of directed relations alone."""
    directed = table.directed.index_select(0, leaves.relation)
    right = (asked * leaves.tail).sum(1)
    turned = (table.ask(leaves.tail, leaves.relation) * leaves.head).sum(1)
    return (objective.direction_losses(right, turned, temperature) * directed).sum()


def _taxonomy(leaves: Leaves, width: int) -> Tensor:
    a, b = _cut(leaves.first, width), _cut(leaves.second, width)
    return objective.taxonomy_losses(a, b, leaves.similarity).sum()


def _widths(table: SenseTable, options: TrainingOptions) -> list[int]:
    return [*(width for width in options.matryoshka if width < table.dim), table.dim]


def _cut(vectors: Tensor, width: int) -> Tensor:
    """The first dimensions, at length 1."""
    return vectors if width == vectors.shape[1] else objective.normalise(vectors[:, :width])


def _mean(values: Iterator[Tensor]) -> Tensor:
    import torch

    return torch.stack(list(values)).mean()
