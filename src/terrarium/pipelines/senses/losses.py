"""The losses of a batch: its vectors, gathered once, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from terrarium.pipelines.senses import objective
from terrarium.pipelines.senses.batches import Batch
from terrarium.pipelines.senses.options import TrainingOptions
from terrarium.pipelines.senses.problem import Axes
from terrarium.pipelines.senses.relations import ANTONYM, RELATIONS
from terrarium.pipelines.senses.table import SenseTable

if TYPE_CHECKING:
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
    """The vectors of a batch, and the rows that their gradients go to.

    The gradient of a sparse code goes to all entries of its row, kept or not (straight through, Bengio, Léonard and
    Courville 2013), so that entries that were dropped can come back.
    """

    def __init__(self, table: SenseTable, batch: Batch, axes: Axes | None, *, trained: bool = False) -> None:
        import torch

        self.pairs: list[tuple[Tensor, Tensor]] = []
        self._table, self._trained = table, trained
        device, links, antonyms = table.device, batch.links, batch.antonyms
        self.head, self.tail = (
            self._senses(links.head, links.head_offset),
            self._senses(links.tail, links.tail_offset),
        )
        self.relation = torch.from_numpy(links.relation).to(device)
        self.negatives = self._synsets(batch.negatives)
        self.first, self.second = self._synsets(batch.first), self._synsets(batch.second)
        self.similarity = torch.from_numpy(batch.similarity).to(device)
        self.antonyms = (
            self._senses(antonyms.head, antonyms.head_offset),
            self._senses(antonyms.tail, antonyms.tail_offset),
        )
        self.axes = None if axes is None else self._axes(axes)

    def _axes(self, axes: Axes) -> tuple[Tensor, ...]:
        import torch

        numbers = (torch.from_numpy(x).to(self._table.device) for x in (axes.pair_axis, axes.word_axis, axes.sign))
        return (*(self._synsets(rows) for rows in (axes.first, axes.second, axes.word)), *numbers)

    def _synsets(self, rows: np.ndarray) -> Tensor:
        import torch

        places = torch.from_numpy(rows).to(self._table.device)
        return self._leaf(places, self._table.codes(places))

    def _senses(self, synset: np.ndarray, offset: np.ndarray) -> Tensor:
        import torch

        places = torch.from_numpy(synset).to(self._table.device)
        own = torch.from_numpy(offset).to(self._table.device)
        code = self._leaf(places, self._table.codes(places))
        return objective.normalise(code + self._leaf(own, self._table.offsets(places, own)))

    def _leaf(self, rows: Tensor, values: Tensor) -> Tensor:
        if self._trained:
            values = values.detach().requires_grad_()
            self.pairs.append((rows, values))
        return values


def batch_losses(
    table: SenseTable, batch: Batch, axes: Axes | None, leaves: Leaves, options: TrainingOptions
) -> Losses:
    """All parts; with nested widths, links and taxonomy are the means over the widths (Kusupati et al. 2022)."""
    widths = [*(width for width in options.matryoshka if width < table.dim), table.dim]
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
    queries, tails, heads, negatives = (
        objective.normalise(x[:, :width]) for x in (asked, leaves.tail, leaves.head, leaves.negatives)
    )
    return objective.link_losses(queries, tails, negatives, (queries * heads).sum(1), opposed, temperature).sum()


def _direction(table: SenseTable, asked: Tensor, leaves: Leaves, temperature: float) -> Tensor:
    """Over the links of directed relations alone."""
    directed = table.directed.index_select(0, leaves.relation)
    right = (asked * leaves.tail).sum(1)[directed]
    turned = table.ask(leaves.tail[directed], leaves.relation[directed])
    return objective.direction_losses(right, (turned * leaves.head[directed]).sum(1), temperature).sum()


def _taxonomy(leaves: Leaves, width: int) -> Tensor:
    a, b = (objective.normalise(x[:, :width]) for x in (leaves.first, leaves.second))
    return objective.taxonomy_losses(a, b, leaves.similarity).sum()


def _mean(values: Iterator[Tensor]) -> Tensor:
    import torch

    return torch.stack(list(values)).mean()
