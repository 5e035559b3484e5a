"""Where negatives are drawn: the sampler of the options, for one pair or a batch."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from terrarium.common.arrays import Float64Array, Int32Array, Int64Array
from terrarium.common.kernels import njit
from terrarium.hyperbolic.options import NegativeSampler, TrainingOptions
from terrarium.hyperbolic.training.sampling.level_negatives import sample_same_depth, sample_tiered, sample_uniform
from terrarium.hyperbolic.training.sampling.random_stream import Stream
from terrarium.hyperbolic.training.sampling.tree_arrays import TreeArrays
from terrarium.hyperbolic.training.sampling.true_negatives import (
    sample_hard,
    sample_non_ancestors,
    sample_unrelated_at_depth,
)

UNRELATED, NON_ANCESTORS, UNRELATED_AT_DEPTH, SAME_DEPTH, UNIFORM, TIERED = range(6)
SAMPLERS: dict[NegativeSampler, int] = {
    "true_negatives": UNRELATED,
    "non_ancestors": NON_ANCESTORS,
    "same_depth": SAME_DEPTH,
    "random": UNIFORM,
    "tiered": TIERED,
}


class Pairs(NamedTuple):
    """Pairs of an ancestor and a descendant.

    Attributes:
        ancestor, descendant: (P,) rows.
        weight: (P,) weights in the loss.
    """

    ancestor: Int32Array
    descendant: Int32Array
    weight: Float64Array


class SamplerSettings(NamedTuple):
    """How negatives are drawn.

    Attributes:
        sampler: UNRELATED, NON_ANCESTORS, UNRELATED_AT_DEPTH, SAME_DEPTH, UNIFORM or TIERED.
        num_negatives: negatives per pair.
        num_hard, num_ancestors: for UNRELATED, see `sample_hard`.
        num_edge: walks per end of an edge, see `edge_negatives.sample_walks`; for the loss joint.
    """

    sampler: int
    num_negatives: int
    num_hard: int
    num_ancestors: int
    num_edge: int


def sampler_settings(options: TrainingOptions) -> SamplerSettings:
    """Return the settings that the options ask for; margin_ranking draws true negatives at the descendant's depth."""
    given = options.sampler
    sampler = SAMPLERS[given.negative_sampler]
    if sampler == UNRELATED and options.loss.name == "margin_ranking":
        sampler = UNRELATED_AT_DEPTH
    return SamplerSettings(
        sampler, given.num_negatives, given.hard_negatives, given.hard_negative_ancestors, given.edge_negatives
    )


@njit(cache=True)
def sample_negatives(
    tree: TreeArrays, pairs: Pairs, pair: int, settings: SamplerSettings, stream: Stream, out: Int64Array
) -> int:  # pragma: no cover - compiled
    """Draw the negatives of one pair.

    UNRELATED and NON_ANCESTORS give all pairs of a descendant the same negatives; the others draw for each pair.

    Args:
        tree: N nodes.
        pairs: P pairs.
        pair: position of the pair.
        settings: which sampler.
        stream: seed and epoch.
        out: (num_negatives,) to be filled with rows.

    Returns:
        How many places were filled.
    """
    ancestor, descendant = pairs.ancestor[pair], pairs.descendant[pair]
    if settings.sampler == UNRELATED:
        return sample_hard(tree, descendant, settings.num_hard, settings.num_ancestors, stream, descendant, out)
    if settings.sampler == NON_ANCESTORS:
        return sample_non_ancestors(tree, descendant, stream, descendant, out)
    if settings.sampler == SAME_DEPTH:
        return sample_same_depth(tree, descendant, stream, pair, out)
    if settings.sampler == UNIFORM:
        return sample_uniform(tree, stream, pair, out)
    if settings.sampler == TIERED:
        return sample_tiered(tree, descendant, stream, pair, out)
    depth = tree.depth[descendant]
    return sample_unrelated_at_depth(tree, ancestor, depth, stream, pair, out)


@njit(cache=True)
def sample_batch(
    tree: TreeArrays, pairs: Pairs, batch: Int64Array, settings: SamplerSettings, stream: Stream, out: Int64Array
) -> Int64Array:  # pragma: no cover - compiled
    """Draw the negatives of a batch.

    Args:
        tree, pairs, settings, stream: see `sample_negatives`.
        batch: (B,) positions of pairs.
        out: (B, num_negatives) to be filled with rows.

    Returns:
        (B,) how many negatives each pair got.
    """
    counts = np.zeros(len(batch), np.int64)
    for i in range(len(batch)):
        counts[i] = sample_negatives(tree, pairs, batch[i], settings, stream, out[i])
    return counts
