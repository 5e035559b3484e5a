"""The history of a training: one row per epoch."""

import sys
from collections.abc import Mapping, Sequence

import pandas as pd

from terrarium.training.checkpointing.state import JSON

_FIRST = ["epoch", "loss"]
_LAST = ["learning_rate", "seconds", "items_per_second", "peak_memory_mb"]
_OURS = {"epoch", "seconds", "items_per_second", "peak_memory_mb", "best"}


def history_row(epoch: int, numbers: Mapping[str, float], seconds: float) -> dict[str, JSON]:
    """Return the row of `epoch` from what the trainable returned (`loss`, `items` and its own diagnostics).

    Raises ValueError when `loss` or `items` is missing, or a name is one that the history fills in itself.
    """
    missing, taken = {"loss", "items"} - numbers.keys(), _OURS & numbers.keys()
    if missing or taken:
        raise ValueError(f"An epoch must return loss and items (missing: {sorted(missing)}), but not {sorted(taken)}")
    own = {name: float(value) for name, value in numbers.items() if name != "items"}
    rate = float(numbers["items"]) / max(seconds, 1e-9)
    return {"epoch": epoch, **own, "seconds": seconds, "items_per_second": rate, "peak_memory_mb": peak_memory_mb()}


def history_table(rows: Sequence[Mapping[str, JSON]], best_epoch: int) -> pd.DataFrame:
    """Return the rows as a table.

    Columns: epoch, loss, the trainable's own columns, learning_rate if given, seconds, items_per_second,
    peak_memory_mb, best. `best` is true in the row of `best_epoch`. Without rows the table has the columns that
    every history has.
    """
    names = dict.fromkeys(name for row in rows for name in row) or dict.fromkeys([*_FIRST, *_LAST[1:]])
    own = [name for name in names if name not in [*_FIRST, *_LAST]]
    columns = [*_FIRST, *own, *(name for name in _LAST if name in names)]
    table = pd.DataFrame(list(rows), columns=columns, dtype="float64").astype({"epoch": "int64"})
    return table.assign(best=table["epoch"] == best_epoch)


def peak_memory_mb() -> float:
    """Return the largest resident memory of this process so far, in MB (10^6 bytes)."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
