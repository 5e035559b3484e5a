"""The growth rule: when dimensions are added and removed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from terrarium.senses.models.table import SenseTable
from terrarium.senses.options import GrowthOptions
from terrarium.senses.training.messages import log_columns
from terrarium.training.checkpointing.state import JSON
from terrarium.training.torch.seeding import generator

if TYPE_CHECKING:
    from torch import Tensor

logger = logging.getLogger(__name__)

SATURATED_FRACTION = 0.8
"""Fraction of the columns that must be active before more are added (NAOMI-II)."""
_TINY = 1e-12


@dataclass(frozen=True)
class GrowthState:
    """What the rule remembers between epochs.

    Attributes:
        changed: epoch after which the last growth happened, 0: none yet.
        loss_at_growth: validation loss at the last growth.
        doublings: log2 of the factor by which the last growth multiplied the parameters.
        best_loss: best validation loss since the last growth.
        last_check: validation loss at the last check.
        closed: reason why growth has ended; empty while it has not.
    """

    changed: int = 0
    loss_at_growth: float | None = None
    doublings: float = 0.0
    best_loss: float | None = None
    last_check: float | None = None
    closed: str = ""

    def as_json(self) -> dict[str, JSON]:
        """Return the state as a JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class Decision:
    """Result of a check: number of columns to add, the reason (empty without a check), and the new state."""

    add: int
    reason: str
    state: GrowthState


def decide_growth(
    options: GrowthOptions,
    state: GrowthState,
    *,
    epoch: int,
    dim: int,
    active: float,
    validation_loss: float,
    seed: int,
) -> Decision:
    """Decide after an epoch how many columns to add: none between checks, at max_dim, and once growth has ended.

    The rule "need" adds columns when 80 % of the columns are active, the loss has reached a plateau, and the previous
    growth, if any, lowered the validation loss by `min_gain_per_doubling` per doubling of the parameters.

    Args:
        options: of the rule.
        state: what the rule remembers.
        epoch: the epoch that has just ended.
        dim: number of dimensions.
        active: fraction of the columns that are active.
        validation_loss: of this epoch.
        seed: of the rule "random".
    """
    best = validation_loss if state.best_loss is None else min(state.best_loss, validation_loss)
    state = replace(state, best_loss=best)
    since = epoch - state.changed
    if not options.enabled or state.closed or dim >= options.max_dim or since == 0 or since % options.expand_interval:
        return Decision(0, "", state)
    add = min(options.expand_by, options.max_dim - dim)
    previous, state = state.last_check, replace(state, last_check=validation_loss)
    if options.rule == "timetable":
        return Decision(add, "by the timetable", state)
    if options.rule == "random":
        grows = generator(seed, "growth", epoch).random() < 0.5
        return Decision(add if grows else 0, "at random" if grows else "not this time, at random", state)
    if active < SATURATED_FRACTION:
        return Decision(0, f"{active:.0%} of the columns are active, fewer than {SATURATED_FRACTION:.0%}", state)
    return _decide_by_need(options, state, previous, validation_loss, add)


def _decide_by_need(
    options: GrowthOptions, state: GrowthState, previous: float | None, loss: float, add: int
) -> Decision:
    if previous is None:
        return Decision(0, "the first check has nothing to compare with", state)
    gain = (previous - loss) / max(abs(previous), _TINY)
    if gain > options.plateau_threshold:
        return Decision(0, f"the present size still gains {gain:.2%} between checks", state)
    if state.loss_at_growth is None or state.best_loss is None:
        return Decision(add, f"the gain between checks fell to {gain:.2%}", state)
    total = (state.loss_at_growth - state.best_loss) / max(abs(state.loss_at_growth), _TINY)
    per_doubling = total / max(state.doublings, _TINY)
    if per_doubling < options.min_gain_per_doubling:
        reason = (
            f"the last growth lowered the validation loss by {per_doubling:.2%} per doubling of the parameters, less "
            f"than {options.min_gain_per_doubling:.2%}"
        )
        return Decision(0, f"{reason}; no more is added", replace(state, closed=reason))
    return Decision(add, f"the last growth paid off ({per_doubling:.2%} per doubling) and this size has stalled", state)


def record_growth(state: GrowthState, *, epoch: int, dim: int, added: int, validation_loss: float) -> GrowthState:
    """Return the state of growth after columns were added at the end of an epoch.

    Args:
        state: before the growth.
        epoch: number of the epoch.
        dim: columns before.
        added: columns that are added.
        validation_loss: loss before the growth.
    """
    doublings = float(np.log2((dim + added) / dim))
    return GrowthState(epoch, validation_loss, doublings, None, None, state.closed)


class GrowthController:
    """Applies the rule to a table: checks after each epoch, and remembers what the next epoch should change.

    Attributes:
        pending: columns that the next epoch adds; negative: that it removes.
    """

    def __init__(self, options: GrowthOptions, seed: int) -> None:
        self._options, self._seed = options, seed
        self._state = GrowthState()
        self.pending = 0

    def check(
        self, table: SenseTable, epoch: int, validation_loss: float, memory_refusal: Callable[[int], str]
    ) -> None:
        """Decide after an epoch which columns the next one adds or removes, and log why.

        Args:
            table: as validated.
            epoch: the epoch that has just ended.
            validation_loss: of this epoch.
            memory_refusal: gives for a number of dimensions why they do not fit into memory, or an empty text.
        """
        active = self.active_fraction(table)
        decision = decide_growth(
            self._options,
            self._state,
            epoch=epoch,
            dim=table.dim,
            active=active,
            validation_loss=validation_loss,
            seed=self._seed,
        )
        self._state, add = decision.state, decision.add
        if not decision.reason:
            return
        log_columns(logger, epoch, table.column_density(), active)
        logger.info("  Growth: %s", decision.reason)
        refusal = memory_refusal(table.dim + add) if add else ""
        if refusal:
            reason = f"growth to {table.dim + add} dimensions {refusal}"
            logger.warning("  No growth: %s; lower growth.expand_by or batch_size, or raise memory_limit_gb", reason)
            add = 0
            self._state = replace(self._state, closed=reason)
        if add:
            logger.info("[Epoch %d] Adding %d dimensions (%d -> %d)", epoch, add, table.dim, table.dim + add)
            self._state = record_growth(
                self._state, epoch=epoch, dim=table.dim, added=add, validation_loss=validation_loss
            )
            self.pending = add
        elif not self._state.changed or epoch - self._state.changed > self._options.expand_interval:
            unused = int((~self.used_columns(table)).sum())
            if unused:
                dim = table.dim - unused
                logger.info("[Epoch %d] Removing %d unused dimensions (%d -> %d)", epoch, unused, table.dim, dim)
            self.pending = -unused

    def take_pending(self) -> int:
        """Return `pending` and reset it to 0."""
        pending, self.pending = self.pending, 0
        return pending

    def active_fraction(self, table: SenseTable) -> float:
        """Return the fraction of the columns whose relative energy reaches `saturation_threshold`."""
        return float((table.column_energy() >= self._options.saturation_threshold).mean())

    def used_columns(self, table: SenseTable) -> Tensor:
        """Return a mask (D,) of the columns that pruning keeps; at least one polar column is among them."""
        import torch

        energy = torch.from_numpy(table.column_energy()).to(table.device)
        used = energy >= self._options.prune_threshold
        if not bool((used & table.polar).any()):
            used |= table.polar
        return used

    def state(self) -> dict[str, JSON]:
        """Return the state as a JSON object."""
        return {"growth": self._state.as_json(), "pending": self.pending}

    def load(self, state: dict[str, JSON]) -> None:
        """Restore what `state` returned."""
        self._state, self.pending = GrowthState(**state["growth"]), state["pending"]
