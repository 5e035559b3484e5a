"""The name of what was computed, for logs, reports and files."""

from __future__ import annotations

import pandas as pd

from terrarium.influence.options import AttributionOptions


def method_name(attribution: AttributionOptions, num_checkpoints: int, num_trainings: int) -> str:
    """Return the name of the attribution method that the options choose.

    Only sums of plain dot products are TracIn (Pruthi et al. 2020): TracInCP over several checkpoints. With a
    preconditioner the order of triples changes.

    Args:
        attribution: preconditioner, normalization and projection.
        num_checkpoints: number of checkpoints of a training that are summed over.
        num_trainings: number of trainings that are averaged over.
    """
    base = "TracInCP" if num_checkpoints > 1 else "TracIn at one checkpoint"
    parts = []
    if attribution.preconditioner != "none":
        kind = {"factored": "factored", "exact": "element by element"}[attribution.preconditioner]
        parts.append(f"preconditioned by the optimizer's state ({kind})")
    if attribution.normalization == "cosine":
        parts.append("cosine of gradients")
    if attribution.projection_dim:
        parts.append(f"gradients projected to {attribution.projection_dim} dimensions")
    if num_trainings > 1:
        parts.append(f"mean of {num_trainings} trainings")
    return f"{base}, {', '.join(parts)}" if parts else base


def count_checkpoints(checkpoint_table: pd.DataFrame) -> tuple[int, int]:
    """Return the number of checkpoints of each training and the number of trainings.

    Args:
        checkpoint_table: columns training and epoch, one row per checkpoint.
    """
    return checkpoint_table["epoch"].nunique(), checkpoint_table["training"].nunique()
