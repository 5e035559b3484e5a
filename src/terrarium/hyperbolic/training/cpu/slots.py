"""Numbering of the rows that a batch touches, so that its gradients fit in small arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from terrarium.common.arrays import Int64Array
from terrarium.common.kernels import njit


class Slots(NamedTuple):
    """Which of N rows the current batch touches, and the slot of each.

    Attributes:
        stamp: (N,) last batch that touched the row.
        place: (N,) its slot then.
        rows: (C,) row of each slot.
        counter: (2,) how many slots are taken, number of the batch.
    """

    stamp: Int64Array
    place: Int64Array
    rows: Int64Array
    counter: Int64Array


@njit(cache=True)
def make_slots(num_rows: int, capacity: int) -> Slots:  # pragma: no cover - compiled
    """Return slots for N rows, of which a batch touches at most `capacity`."""
    return Slots(
        np.full(num_rows, -1, np.int64),
        np.zeros(num_rows, np.int64),
        np.zeros(capacity, np.int64),
        np.zeros(2, np.int64),
    )


@njit(cache=True, inline="always")
def clear_slots(slots: Slots, batch: int) -> None:  # pragma: no cover - compiled
    """Begin a batch; its number differs from those before."""
    slots.counter[0] = 0
    slots.counter[1] = batch


@njit(cache=True, inline="always")
def slot_of(row: int, slots: Slots) -> int:  # pragma: no cover - compiled
    """Return the slot of a row; a new one if the batch has not touched the row yet."""
    if slots.stamp[row] != slots.counter[1]:
        slots.stamp[row] = slots.counter[1]
        slots.place[row] = slots.counter[0]
        slots.rows[slots.counter[0]] = row
        slots.counter[0] += 1
    return slots.place[row]


@njit(cache=True, inline="always")
def touched_rows(slots: Slots) -> Int64Array:  # pragma: no cover - compiled
    """Return the rows of the batch in the order of their slots."""
    return slots.rows[: slots.counter[0]]
