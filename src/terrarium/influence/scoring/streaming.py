"""All training triples against triples asked about, block by block: only time grows with the training triples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from terrarium.common.arrays import Int64Array
from terrarium.influence.data.checkpoints import Snapshot, Training
from terrarium.influence.gradients.autograd import BackwardPass
from terrarium.influence.gradients.factored import Gradients, gradients_of
from terrarium.influence.gradients.loss_parts import (
    Trained,
    Units,
    asked_units,
    lost_units,
    scored_units,
    training_units,
)
from terrarium.influence.options import EvaluationOptions, FeatureOptions
from terrarium.influence.similarity.dot_products import Comparison, Targets, self_products
from terrarium.influence.similarity.exact_preconditioner import Weighted
from terrarium.influence.similarity.factored_preconditioner import Roots, roots_of, weighted
from terrarium.influence.similarity.projection import Projected, Projection
from terrarium.kge.data.graph import TRAIN, Graph, Triples
from terrarium.kge.data.queries import KnownAnswers
from terrarium.kge.models.scorer import Scorer
from terrarium.kge.training.memory import CacheCleanup
from terrarium.kge.training.precision import autocast_context, cast_model
from terrarium.training.torch.device import resolve_device


class UnknownLayerError(ValueError):
    """A name of `features.layers` that the scorer has no parameter of."""


@dataclass(frozen=True, eq=False)
class World:
    """What influence is computed in: scorers, their loss, the training triples, and how to compare.

    Attributes:
        snapshots: the checkpoints, their scorers on the device and in the precision asked for.
        trained: the loss.
        train: (n, 3).
        answers: of the training triples.
        layers: names of the parameters that count.
    """

    snapshots: Sequence[Snapshot]
    trained: Trained
    train: Triples
    answers: KnownAnswers
    layers: Sequence[str]
    features: FeatureOptions
    evaluation: EvaluationOptions

    @staticmethod
    def of(
        snapshots: Sequence[Snapshot],
        training: Training,
        graph: Graph,
        features: FeatureOptions,
        evaluation: EvaluationOptions,
    ) -> World:
        """Move the scorers to their device; UnknownLayerError for a layer that is not there."""
        device = resolve_device(evaluation.device)
        for snapshot in snapshots:
            cast_model(snapshot.scorer, evaluation.precision).to(device)
        names = [name for name, _ in snapshots[0].scorer.named_parameters()]
        for name in features.layers:
            if name not in names:
                raise UnknownLayerError(f"the scorer has no layer {name!r}: choose from {', '.join(names)}")
        train = graph.splits[TRAIN]
        answers = KnownAnswers(train, graph.num_relations)
        layers = features.layers or names
        return World(snapshots, training.trained(graph), train, answers, layers, features, evaluation)

    @property
    def scorer(self) -> Scorer:
        """The last checkpoint's."""
        return self.snapshots[-1].scorer

    @cached_property
    def roots(self) -> list[Roots | None]:
        """Of each checkpoint, the roots of the optimiser's weights; None where they are not factored."""
        if self.features.precondition != "factored":
            return [None for _ in self.snapshots]
        weight = self.scorer.entity.weight
        return [roots_of({name: d.to(weight) for name, d in each.scale.items()}) for each in self.snapshots]

    @cached_property
    def drawn(self) -> Projection:
        """The signs that gradients are projected by, the same at every checkpoint."""
        return Projection(self.scorer, self.layers, self.features.projection, self.features.seed)

    def asked(self, tests: Triples) -> Units:
        """The parts of triples asked about."""
        if self.features.measure == "score":
            return scored_units(tests, self.trained)
        if self.features.measure == "loss":
            return lost_units(tests, self.trained)
        return asked_units(tests, self.answers, self.trained, self.features.unit)

    def known(self, places: Int64Array) -> Units:
        """The parts of training triples."""
        return training_units(self.train[places], self.answers, self.trained, self.features.unit)

    def context(self) -> torch.autocast | object:
        """The precision's context."""
        return autocast_context(self.evaluation.precision, str(self.scorer.entity.weight.device))


def influences(world: World, tests: Triples, chosen: Int64Array | None = None) -> Iterator[tuple[Int64Array, Tensor]]:
    """Places (B,) of training triples and their influences (B, T) on the tests, a block at a time.

    Sum over checkpoints of learning rate times dot product (TracInCP, Pruthi 2020), in the tests' order; of all
    training triples, or of those at the places `chosen`.
    """
    if world.features.method == "backward":
        yield from _by_backward(world, tests, chosen)
        return
    asked, sides = world.asked(tests), world.trained.sides
    cosine = world.features.normalise == "cosine"
    cleanup = CacheCleanup(world.evaluation.cleanup_interval if world.evaluation.memory_cleanup else 0)
    with torch.inference_mode(), world.context():  # type: ignore[attr-defined]
        comparisons = [_comparison(world, number, asked) for number in range(len(world.snapshots))]
        lengths = _self_of(world, asked) if cosine else None
        wide = 3 * world.scorer.num_entities if cosine else 0
        for places in blocks(world, chosen, wide + max(one.numbers for one in comparisons)):
            known = world.known(places)
            total = torch.zeros((), device=world.scorer.entity.weight.device)
            length = torch.zeros_like(total)
            for number, (snapshot, comparison) in enumerate(zip(world.snapshots, comparisons, strict=True)):
                gradients = _gradients(world, number, known)
                total = total + snapshot.rate * comparison.between(gradients, sides)
                if cosine:
                    length = length + snapshot.rate * _squares(world, gradients)
            if lengths is not None:
                total = total * torch.rsqrt(length.clamp_min(TINY))[:, None] * torch.rsqrt(lengths.clamp_min(TINY))
            yield places, total
            cleanup.after_batch()


LOOP = 16
"""Gradients of backward passes that are multiplied at once."""
TINY = 1e-30
"""A gradient that vanishes has no direction: its cosine is 0, not undefined."""


def self_influences(world: World, places: Int64Array | None = None) -> Iterator[tuple[Int64Array, Tensor]]:
    """Places (B,) and self-influences (B,): sum of learning rate times squared length of the gradient."""
    with torch.inference_mode(), world.context():  # type: ignore[attr-defined]
        for chosen in blocks(world, places, 3 * world.scorer.num_entities):
            yield chosen, _self_of(world, world.known(chosen))


def self_influences_of_asked(world: World, tests: Triples) -> Tensor:
    """(T,) self-influences of triples asked about."""
    with torch.inference_mode(), world.context():  # type: ignore[attr-defined]
        pieces = np.split(tests, range(world.evaluation.batch_size, len(tests), world.evaluation.batch_size))
        return torch.cat([_self_of(world, world.asked(piece)) for piece in pieces])


def blocks(world: World, places: Int64Array | None, numbers: int) -> Iterator[Int64Array]:
    """Places of training triples, as many as the memory for a block allows at so many `numbers` a part."""
    places = np.arange(len(world.train)) if places is None else places
    order = places[_by_question(world.train[places], world.trained)]
    size = max(1, world.evaluation.block_mb * 1_000_000 // bytes_of_triple(world.scorer, world.trained, numbers))
    yield from np.split(order, range(size, len(order), size))


def _by_question(triples: Triples, trained: Trained) -> Int64Array:
    """An order in which few questions are asked in more than one block.

    A relation's triples are sorted by the end that has more entities: those of the other end come up in any block.
    """
    head, relation, tail = triples.T
    fewer = [
        np.bincount(np.unique(relation * trained.entities + end) // trained.entities, minlength=trained.relations)
        for end in (tail, head)
    ]
    leads = np.where((fewer[0] < fewer[1])[relation], head, tail)
    return np.lexsort((head + tail - leads, leads, relation))


def bytes_of_triple(scorer: Scorer, trained: Trained, numbers: int) -> int:
    """What a triple costs while its block is there: `numbers` a part, slopes, and for ConvE the maps a few times."""
    maps = 0
    if scorer.options.name == "conve":
        image = scorer.options.image()
        maps = scorer.options.output_channels * image.map_height * image.map_width
        maps += 9 * scorer.options.dim * 2
    return scorer.entity.weight.itemsize * trained.sides * (numbers + 8 * maps + 16 * scorer.options.dim)


def _gradients(world: World, number: int, units: Units) -> Gradients:
    """At a checkpoint by its number, weighted where the weights are factored."""
    found = gradients_of(world.snapshots[number].scorer, units, world.trained)
    roots = world.roots[number]
    return found if roots is None else weighted(found, roots)


def _comparison(world: World, number: int, asked: Units) -> Comparison:
    gradients = _gradients(world, number, asked)
    entities, sides = world.trained.entities, asked.sides
    if world.features.projection:
        return Projected(gradients, sides, world.drawn)
    if world.features.precondition == "exact":
        return Weighted(gradients, sides, entities, world.layers, world.snapshots[number].scale)
    return Targets(gradients, entities, world.layers)


def _self_of(world: World, units: Units) -> Tensor:
    total = torch.zeros(())
    for number, snapshot in enumerate(world.snapshots):
        gradients = _gradients(world, number, units)
        total = snapshot.rate * _squares(world, gradients) + total.to(world.scorer.entity.weight.device)
    return total


def _squares(world: World, gradients: Gradients) -> Tensor:
    if world.features.projection:
        return world.drawn.of(gradients, world.trained.sides).square().sum(1)
    return self_products(gradients, world.trained.sides, world.trained.entities, world.layers)


def _by_backward(world: World, tests: Triples, chosen: Int64Array | None) -> Iterator[tuple[Int64Array, Tensor]]:
    passes = [
        BackwardPass(snapshot.scorer, world.trained, world.layers, world.evaluation) for snapshot in world.snapshots
    ]
    asked = [torch.stack(list(one.gradients(world.asked(tests)))) for one in passes]
    for places in blocks(world, chosen, len(tests)):
        known = world.known(places)
        total = torch.zeros(len(places), len(tests), device=world.scorer.entity.weight.device)
        for snapshot, one, wanted in zip(world.snapshots, passes, asked, strict=True):
            total = total + snapshot.rate * torch.cat(list(_together(one.gradients(known), wanted)))
        yield places, total


def _together(gradients: Iterator[Tensor], wanted: Tensor) -> Iterator[Tensor]:
    """(b, T) dot products of some gradients at once with those asked about (T, P)."""
    while some := list(islice(gradients, LOOP)):
        yield torch.stack(some) @ wanted.T
