"""Attribution methods that validation compares: variants of TracIn, and baselines without gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from terrarium.common.arrays import Float64Array
from terrarium.influence.data.checkpoints import Snapshot
from terrarium.influence.gradients.closed_form import PROJECTION
from terrarium.influence.scoring.streaming import influence_matrix
from terrarium.influence.validation.study import Study
from terrarium.kge.data.graph import HEAD, RELATION, TAIL, Triples

CONFIGURED = "as configured"
PLAIN = {"preconditioner": "none", "projection_dim": 0, "normalization": "none", "hessian": "none"}


@dataclass(frozen=True)
class Variant:
    """Changes of the attribution options; any start from plain gradients. Of the last checkpoint alone, or of all."""

    changes: Mapping[str, Any]
    last_checkpoint: bool = False


def variants(model: str) -> dict[str, Variant]:
    """Return the variants by name for a kind of scorer."""
    last_layer = [PROJECTION] if model == "conve" else ["relation.weight"]
    return {
        CONFIGURED: Variant({}),
        "plain gradients": Variant({"preconditioner": "none"}),
        "unit removal": Variant({"attribution_unit": "removal"}),
        "unit share": Variant({"attribution_unit": "share"}),
        "unit row": Variant({"attribution_unit": "row"}),
        "unit positive on both sides": Variant({"attribution_unit": "positive", "output_fn": "training_loss"}),
        "last checkpoint": Variant({"preconditioner": "none"}, last_checkpoint=True),
        "entity embeddings": Variant({"layers": ["entity.weight"]}),
        "exact preconditioner": Variant({"preconditioner": "exact"}),
        "factored preconditioner": Variant({"preconditioner": "factored"}),
        "factored preconditioner, last checkpoint": Variant({"preconditioner": "factored"}, last_checkpoint=True),
        "cosine": Variant({"normalization": "cosine"}),
        "projected to 1,024": Variant({"projection_dim": 1024}),
        "last checkpoint, last layer": Variant({"layers": last_layer}, last_checkpoint=True),
    }


def variant_influence(study: Study, variant: Variant, snapshots: Sequence[Snapshot], queries: Triples) -> Float64Array:
    """Compute the influence of all training triples on query triples, for small graphs.

    Args:
        study: options and training triples of the study.
        variant: what differs from the configured method.
        snapshots: checkpoints of a retraining; a variant may use only the last one.
        queries: query triples, shape (T, 3).

    Returns:
        Influences, shape (n, T).
    """
    changes = {**PLAIN, **variant.changes} if variant.changes else {}
    chosen = snapshots[-1:] if variant.last_checkpoint else snapshots
    return influence_matrix(study.context(chosen, **changes), queries)


Baseline = Callable[[Triples, Triples, np.random.Generator], Float64Array]


def same_relation(train: Triples, queries: Triples, rng: np.random.Generator) -> Float64Array:
    """Return (n, T): 1 for training triples of the query's relation; ties are broken at random."""
    same = (train[:, None, RELATION] == queries[:, RELATION]).astype(np.float64)
    return same + _tie_breaks(same.shape, rng)


def shared_entity(train: Triples, queries: Triples, rng: np.random.Generator) -> Float64Array:
    """Return (n, T): number of common entities, plus 0.5 for the query's relation; ties are broken at random."""
    ends = [(train[:, None, end] == queries[:, other]) for end in (HEAD, TAIL) for other in (HEAD, TAIL)]
    same_relation = train[:, None, RELATION] == queries[:, RELATION]
    shared = np.sum(ends, axis=0) + 0.5 * same_relation * np.any(ends, axis=0)
    return shared + _tie_breaks(shared.shape, rng)


def random(train: Triples, queries: Triples, rng: np.random.Generator) -> Float64Array:
    """Return (n, T) random numbers."""
    return _tie_breaks((len(train), len(queries)), rng)


def _tie_breaks(shape: tuple[int, ...], rng: np.random.Generator) -> Float64Array:
    return rng.random(shape) * 1e-3


BASELINES: dict[str, Baseline] = {"shared entity": shared_entity, "same relation": same_relation, "random": random}
