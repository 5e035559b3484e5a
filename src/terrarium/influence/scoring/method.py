"""The name of what was computed, for logs, reports and files."""

from __future__ import annotations

import pandas as pd

from terrarium.influence.options import AttributionOptions


def method_name(attribution: AttributionOptions, num_train: int, num_checkpoints: int, num_trainings: int) -> str:
    """Return the name of the attribution method that the options choose.

    Only sums of plain dot products are TracIn (Pruthi et al. 2020): TracInCP over several checkpoints. A preconditioner
    or the inverse of a curvature changes the order of triples.

    Args:
        attribution: preconditioner, normalization, projection and curvature.
        num_train: number of training triples.
        num_checkpoints: number of checkpoints of a training that are summed over.
        num_trainings: number of trainings that are averaged over.
    """
    from terrarium.influence.similarity.fisher import uses_fisher

    base = "TracInCP" if num_checkpoints > 1 else "TracIn at one checkpoint"
    parts = []
    if attribution.preconditioner != "none":
        kind = {"factored": "factored", "exact": "element by element"}[attribution.preconditioner]
        parts.append(f"preconditioned by the optimizer's state ({kind})")
    if attribution.normalization == "cosine":
        parts.append("cosine of gradients")
    if attribution.projection_dim:
        parts.append(f"gradients projected to {attribution.projection_dim} dimensions")
    if uses_fisher(attribution, num_train):
        parts.append("multiplied by the inverse of the empirical Fisher matrix")
    if num_trainings > 1:
        parts.append(f"mean of {num_trainings} trainings")
    return f"{base}, {', '.join(parts)}" if parts else base


def count_checkpoints(checkpoint_table: pd.DataFrame) -> tuple[int, int]:
    """Return the number of checkpoints of each training and the number of trainings.

    Args:
        checkpoint_table: columns training and epoch, one row per checkpoint.
    """
    return checkpoint_table["epoch"].nunique(), checkpoint_table["training"].nunique()
