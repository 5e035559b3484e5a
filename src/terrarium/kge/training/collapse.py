"""Detect a model that has collapsed: every entity gets the same score, whatever the query."""

from __future__ import annotations

import math

import torch

from terrarium.common.arrays import Int64Array
from terrarium.kge.models.scorer import Scorer, score_entities

SAMPLE = 64
"""Queries whose predictions are looked at."""
COLLAPSED = 0.999
"""Entropy over that of chance from which on a model counts as collapsed."""


def prediction_entropy(scorer: Scorer, entity: Int64Array, relation: Int64Array) -> float:
    """Return the mean entropy of p(t | h, r) over log N: 1 at chance, 0 for certain predictions.

    Args:
        scorer: the model, complete (see `Scorer.fold_ancestors`) and in evaluation mode.
        entity, relation: (Q,) queries.
    """
    device = scorer.entity.weight.device
    with torch.inference_mode():
        query = scorer(torch.from_numpy(entity).to(device), torch.from_numpy(relation).to(device))
        log_p = torch.log_softmax(score_entities(query, scorer.entity.weight, scorer.bias).float(), 1)
        entropy = -(log_p.exp() * log_p).sum(1).mean()
    return float(entropy) / math.log(max(scorer.num_entities, 2))


def is_collapsed(entropy: float) -> bool:
    """Return whether predictions of this `prediction_entropy` are those of chance; NaN was not measured."""
    return entropy > COLLAPSED
