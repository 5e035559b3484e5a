"""When dimensions are added, when they are removed, and what that costs in memory."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
from pydantic import Field

from terrarium.common.options import Options
from terrarium.training.checkpointing.state import JSON
from terrarium.training.torch.seeding import generator

Rule = Literal["need", "timetable", "random"]
SATURATED_SHARE = 0.8
"""Share of the columns that must be active before more are added (the documents' rule)."""
BATCH_FLOOR = 32_768
"""The documents' floor of the adapted batch; it never raises a batch that is smaller."""


class GrowthOptions(Options):
    """When the dimension grows."""

    enabled: bool = Field(description="false: the dimension stays as it starts")
    max_dim: int = Field(gt=0, description="dimensions at most")
    expand_interval: int = Field(gt=0, description="epochs between two checks")
    expand_by: int = Field(gt=0, description="dimensions added at once")
    rule: Rule = Field(description="need: see docs/senses.md; timetable: at every check; random: at half of the checks")
    saturation_threshold: float = Field(
        gt=0, le=1, description="a column is active from this share of the mean column's energy; 80 % must be"
    )
    plateau: float = Field(
        ge=0,
        description="relative gain in validation loss between checks above which the present size is still learning",
    )
    min_gain: float = Field(
        ge=0,
        description="relative gain in validation loss per doubling of the parameters that the last growth must give",
    )
    new_column_share: float = Field(gt=0, lt=0.5, description="share of a row's energy that new columns start with")
    prune_below: float = Field(
        ge=0, lt=1, description="columns below this share of the mean column's energy are removed; 0: none"
    )


@dataclass(frozen=True)
class GrowthState:
    """What the rule remembers.

    Attributes:
        changed: epoch after which the dimension last changed, 0: never.
        before: validation loss at that change.
        added: how much the parameters grew then, in doublings.
        best: best validation loss since.
        last_check: validation loss at the last check.
        closed: why no more is added, empty while it may.
    """

    changed: int = 0
    before: float | None = None
    added: float = 0.0
    best: float | None = None
    last_check: float | None = None
    closed: str = ""

    def as_json(self) -> dict[str, JSON]:
        """The state as a JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class Decision:
    """What a check decided: columns to add, and why in words."""

    add: int
    reason: str
    state: GrowthState


def decide(
    options: GrowthOptions, state: GrowthState, *, epoch: int, dim: int, active: float, validation: float, seed: int
) -> Decision:
    """What to do after an epoch: nothing between checks, at the largest size, and once growth has ended.

    By need, columns are added when nearly all there are do something, when the last epochs brought little, and when the
    growth before, if any, paid: a validation loss lower by `min_gain` for each doubling of the parameters.

    Args:
        options, state: of the rule.
        epoch: that has just ended.
        dim: dimensions now.
        active: share of the columns that are active.
        validation: validation loss after this epoch.
        seed: for the rule random.
    """
    best = validation if state.best is None else min(state.best, validation)
    state = replace(state, best=best)
    since = epoch - state.changed
    if not options.enabled or state.closed or dim >= options.max_dim or since == 0 or since % options.expand_interval:
        return Decision(0, "", state)
    add = min(options.expand_by, options.max_dim - dim)
    previous, state = state.last_check, replace(state, last_check=validation)
    if options.rule == "timetable":
        return Decision(add, "the timetable says so", state)
    if options.rule == "random":
        lucky = generator(seed, "growth", epoch).random() < 0.5
        return Decision(add if lucky else 0, "the coin says so" if lucky else "the coin says no", state)
    return _by_need(options, state, previous, add, active)


def _by_need(options: GrowthOptions, state: GrowthState, previous: float | None, add: int, active: float) -> Decision:
    if active < SATURATED_SHARE:
        return Decision(0, f"{active:.0%} of the columns are active, fewer than {SATURATED_SHARE:.0%}", state)
    now = state.last_check or 0.0
    if previous is None:
        return Decision(0, "the first check has nothing to compare with", state)
    gain = (previous - now) / max(abs(previous), 1e-12)
    if gain > options.plateau:
        return Decision(0, f"the present size still gains {gain:.2%} between checks", state)
    if state.before is not None and state.best is not None:
        paid = (state.before - state.best) / max(abs(state.before), 1e-12) / max(state.added, 1e-12)
        if paid < options.min_gain:
            reason = (
                f"the last growth lowered the validation loss by {paid:.2%} per doubling of the parameters, less than "
                f"{options.min_gain:.2%}"
            )
            return Decision(0, f"{reason}; no more is added", replace(state, closed=reason))
        return Decision(add, f"the last growth paid ({paid:.2%} per doubling) and this size has stalled", state)
    return Decision(add, f"the gain between checks fell to {gain:.2%}", state)


def after_growth(state: GrowthState, epoch: int, dim: int, added: int, validation: float) -> GrowthState:
    """What the rule remembers of columns added after an epoch."""
    doublings = float(np.log2((dim + added) / dim))
    return GrowthState(epoch, validation, doublings, None, None, state.closed)


def adapted_batch(batch_size: int, start_dim: int, dim: int) -> int:
    """The documents' rule: batch * start / dim, not below 32,768, which never raises a smaller batch."""
    return max(int(batch_size * start_dim / dim), min(batch_size, BATCH_FLOOR))


def memory_need(rows: int, dim: int, batch: int, chunk: int, negatives: int, documented: bool) -> int:
    """Bytes that a training holds at most.

    Rows, their gradient, the support and the state of the optimiser (one number a row; for the documents' dense Adam
    two tables), the copy that a checkpoint writes, and the activations of a chunk of the batch with their gradients.
    """
    table = rows * dim * 4
    tables = 5 * table if documented else 3 * table + rows * dim + rows * 4
    part = min(batch, chunk)
    activations = part * (10 * dim + 3 * negatives) * 4 * 2
    return tables + activations + batch * 32


def available_memory(limit_gb: float | None) -> int:
    """Bytes that may be used: the limit given, else what Linux says is free; elsewhere no limit."""
    if limit_gb is not None:
        return int(limit_gb * 1e9)
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            fields = dict(line.split(":", 1) for line in file)
        return int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return 2**63 - 1
