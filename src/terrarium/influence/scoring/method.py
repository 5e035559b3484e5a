"""The name of what was computed, for logs, reports and files."""

from __future__ import annotations

from terrarium.influence.options import AttributionOptions


def method_name(attribution: AttributionOptions, num_checkpoints: int) -> str:
    """Return the name of the attribution method that the options choose.

    Only sums of plain dot products are TracIn (Pruthi et al. 2020): TracInCP over several checkpoints. With a
    preconditioner the order of triples changes.

    Args:
        attribution: preconditioner, normalization and projection.
        num_checkpoints: number of checkpoints that are summed over.
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
    return f"{base}, {', '.join(parts)}" if parts else base
