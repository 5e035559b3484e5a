"""The growth rule: when dimensions are added and removed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np

from terrarium.common.arrays import BoolArray
from terrarium.senses.models.table import SenseTable
from terrarium.senses.options import GrowthOptions
from terrarium.senses.training.messages import log_columns
from terrarium.training.checkpointing.state import JSON
from terrarium.training.torch.seeding import generator

logger = logging.getLogger(__name__)

_TINY = 1e-12


@dataclass(frozen=True)
class GrowthState:
    """What the rule remembers between epochs.

    Attributes:
        changed: epoch after which the last growth happened, 0: none yet.
        last_check: validation loss at the last check since then; None before the first.
        closed: reason why growth has ended; empty while it has not.
    """

    changed: int = 0
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
    validation_loss: float,
    trial_loss: Callable[[int], float],
    seed: int,
) -> Decision:
    """Decide after an epoch how many columns to add: none between checks, at max_dim, and once growth has ended.

    The rule "need" adds columns when the present ones have stopped lowering the validation loss, and more columns, as
    they would start, lower it by `min_gain_per_doubling` for each doubling of the parameters.

    Args:
        options: of the rule.
        state: what the rule remembers.
        epoch: the epoch that has just ended.
        dim: number of dimensions.
        validation_loss: of this epoch.
        trial_loss: gives the validation loss with a number of additional columns, before they are trained.
        seed: of the rule "random".
    """
    if not is_check(options, state, epoch) or state.closed or dim >= options.max_dim:
        return Decision(0, "", state)
    add = min(options.expand_by, options.max_dim - dim)
    previous, state = state.last_check, replace(state, last_check=validation_loss)
    if options.rule == "timetable":
        return Decision(add, "by the timetable", state)
    if options.rule == "random":
        grows = generator(seed, "growth", epoch).random() < 0.5
        return Decision(add if grows else 0, "at random" if grows else "not this time, at random", state)
    gain = 0.0 if previous is None else _relative_gain(previous, validation_loss)
    if gain > options.plateau_threshold:
        return Decision(0, f"the present size still gains {gain:.2%} between checks", state)
    per_doubling = _relative_gain(validation_loss, trial_loss(add)) / float(np.log2((dim + add) / dim))
    enough = per_doubling >= options.min_gain_per_doubling
    reason = (
        f"{add} more dimensions lower the validation loss by {per_doubling:.2%} per doubling of the parameters, "
        f"{'at least' if enough else 'less than'} {options.min_gain_per_doubling:.2%}"
    )
    return Decision(add if enough else 0, reason, state)


def is_check(options: GrowthOptions, state: GrowthState, epoch: int) -> bool:
    """Return whether columns are checked after an epoch: every `expand_interval` epochs since the last growth."""
    since = epoch - state.changed
    return options.enabled and since > 0 and since % options.expand_interval == 0


def _relative_gain(before: float, after: float) -> float:
    return (before - after) / max(abs(before), _TINY)


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
        self,
        table: SenseTable,
        epoch: int,
        validation_loss: float,
        trial_loss: Callable[[int], float],
        memory_refusal: Callable[[int], str],
    ) -> None:
        """Decide after an epoch which columns the next one adds or removes, and log why.

        Args:
            table: as validated.
            epoch: the epoch that has just ended.
            validation_loss: of this epoch.
            trial_loss: as for `decide_growth`.
            memory_refusal: gives for a number of dimensions why they do not fit into memory, or an empty text.
        """
        if not is_check(self._options, self._state, epoch):
            return
        energy = table.column_energy()
        log_columns(
            logger, epoch, table.column_density(), f"energy {energy.min():.2f} to {energy.max():.2f} of the mean"
        )
        decision = decide_growth(
            self._options,
            self._state,
            epoch=epoch,
            dim=table.dim,
            validation_loss=validation_loss,
            trial_loss=trial_loss,
            seed=self._seed,
        )
        self._state, add = decision.state, decision.add
        if decision.reason:
            logger.info("  Growth: %s", decision.reason)
        refusal = memory_refusal(table.dim + add) if add else ""
        if refusal:
            reason = f"growth to {table.dim + add} dimensions {refusal}"
            logger.warning("  No growth: %s; lower growth.expand_by or batch_size, or raise memory_limit_gb", reason)
            add = 0
            self._state = replace(self._state, closed=reason)
        if add:
            logger.info("[Epoch %d] Adding %d dimensions (%d -> %d)", epoch, add, table.dim, table.dim + add)
            self._state = GrowthState(changed=epoch, closed=self._state.closed)
            self.pending = add
        else:
            unused = int((~self.used_columns(table)).sum())
            if unused:
                dim = table.dim - unused
                logger.info("[Epoch %d] Removing %d unused dimensions (%d -> %d)", epoch, unused, table.dim, dim)
            self.pending = -unused

    def take_pending(self) -> int:
        """Return `pending` and reset it to 0."""
        pending, self.pending = self.pending, 0
        return pending

    def used_columns(self, table: SenseTable) -> BoolArray:
        """Return a mask (D,) of the columns that pruning keeps; at least one polar column is among them."""
        used: BoolArray = table.column_energy() >= self._options.prune_threshold
        polar = table.polar.cpu().numpy()
        return used if (used & polar).any() else used | polar

    def state(self) -> dict[str, JSON]:
        """Return the state as a JSON object."""
        return {"growth": self._state.as_json(), "pending": self.pending}

    def load(self, state: dict[str, JSON]) -> None:
        """Restore what `state` returned."""
        self._state, self.pending = GrowthState(**state["growth"]), state["pending"]
