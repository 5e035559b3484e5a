"""Ways to attribute that validation compares: TracIn's choices, and guesses that look at no gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from terrarium.common.arrays import Float64Array
from terrarium.influence.data.checkpoints import Snapshot, Training
from terrarium.influence.gradients.closed_form import PROJECTION
from terrarium.influence.options import EvaluationOptions, FeatureOptions
from terrarium.influence.scoring.streaming import World, influences
from terrarium.kge.data.graph import HEAD, RELATION, TAIL, TRAIN, Graph, Triples


@dataclass(frozen=True)
class Variant:
    """Changes of the options of features, and whether the last checkpoint alone is taken."""

    changes: Mapping[str, Any]
    last: bool = False


def variants(scorer: str) -> dict[str, Variant]:
    """By name; all but the first start from plain gradients. The shortcut is the last checkpoint's last matrix."""
    matrix = [PROJECTION] if scorer == "conve" else ["relation.weight"]
    return {
        "as configured": Variant({}),
        "plain gradients": Variant({"precondition": "none"}),
        "unit removal": Variant({"unit": "removal"}),
        "unit share": Variant({"unit": "share"}),
        "unit row": Variant({"unit": "row"}),
        "unit positive, of both": Variant({"unit": "positive", "measure": "part"}),
        "last checkpoint": Variant({"precondition": "none"}, last=True),
        "entity vectors": Variant({"layers": ["entity.weight"]}),
        "optimiser's weights": Variant({"precondition": "exact"}),
        "optimiser's weights, factored": Variant({"precondition": "factored"}),
        "optimiser's weights, factored, last": Variant({"precondition": "factored"}, last=True),
        "cosine": Variant({"normalise": "cosine"}),
        "projected to 1,024": Variant({"projection": 1024}),
        "last checkpoint, last layer": Variant({"layers": matrix}, last=True),
    }


def varied(
    variant: Variant,
    snapshots: Sequence[Snapshot],
    training: Training,
    graph: Graph,
    tests: Triples,
    features: FeatureOptions,
    evaluation: EvaluationOptions,
) -> Float64Array:
    """(n, T) influences of the training triples of `graph` under a variant; for small graphs, they are held whole."""
    plain = {"precondition": "none", "projection": 0, "normalise": "none"} if variant.changes else {}
    chosen = FeatureOptions.model_validate(features.model_dump() | plain | dict(variant.changes))
    world = World.of(snapshots[-1:] if variant.last else snapshots, training, graph, chosen, evaluation)
    found = np.empty((len(world.train), len(tests)))
    for places, block in influences(world, tests):
        found[places] = block.double().cpu().numpy()
    return found


Guess = Callable[[Graph, Triples, np.random.Generator], Float64Array]


def same_relation(graph: Graph, tests: Triples, rng: np.random.Generator) -> Float64Array:
    """(n, T) 1 for triples of the test's relation; chance decides among equals."""
    train = graph.splits[TRAIN]
    found = (train[:, None, RELATION] == tests[:, RELATION]).astype(np.float64)
    return found + _dice(found, rng)


def shared_entity(graph: Graph, tests: Triples, rng: np.random.Generator) -> Float64Array:
    """(n, T) how many of the test's entities a triple has, more with its relation; chance decides among equals."""
    train = graph.splits[TRAIN]
    ends = [(train[:, None, end] == tests[:, other]) for end in (HEAD, TAIL) for other in (HEAD, TAIL)]
    found = np.sum(ends, axis=0) + 0.5 * (train[:, None, RELATION] == tests[:, RELATION]) * np.any(ends, axis=0)
    return found + _dice(found, rng)


def random(graph: Graph, tests: Triples, rng: np.random.Generator) -> Float64Array:
    """(n, T) chance."""
    return _dice(np.empty((len(graph.splits[TRAIN]), len(tests))), rng)


def _dice(like: Float64Array, rng: np.random.Generator) -> Float64Array:
    return rng.random(like.shape) * 1e-3


GUESSES: dict[str, Guess] = {"shared entity": shared_entity, "same relation": same_relation, "random": random}
