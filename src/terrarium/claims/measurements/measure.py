"""Run the measurements of a source document."""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import NamedTuple

import pandas as pd

from terrarium.sources.errors import SourceError

logger = logging.getLogger(__name__)
COLUMNS = ("measurement", "text", "number", "low", "high", "repeats", "seconds")


class Measured(NamedTuple):
    """A measured value.

    Attributes:
        values: one number per repeat; a single one is exact.
        unit: what follows the number, with a leading space where it needs one.
    """

    values: Sequence[float]
    unit: str = ""

    @property
    def text(self) -> str:
        """The median with the range over the repeats in brackets."""
        middle = show(statistics.median(self.values)) + self.unit
        if len(self.values) == 1:
            return middle
        return f"{middle} ({show(min(self.values))} to {show(max(self.values))})"


Measurement = Callable[[int], Measured]
"""Takes the seed."""


class Family(NamedTuple):
    """The measurements of a document by name; `large` are left out in the quick form."""

    small: Mapping[str, Measurement]
    large: Mapping[str, Measurement]


def named(*functions: Measurement) -> dict[str, Measurement]:
    """Return measurements by their names."""
    return {function.__name__: function for function in functions}


def measure(document: str, seed: int, quick: bool) -> pd.DataFrame:
    """Run all measurements of a document.

    Args:
        document: one of `ledger.DOCUMENTS`.
        seed: first seed of those that draw random numbers.
        quick: leave out the large ones.

    Returns:
        COLUMNS, one row per measurement. One whose data are not installed is missing, with a warning.
    """
    family: Family = import_module(f"terrarium.claims.measurements.{document}").MEASUREMENTS
    chosen = {**family.small, **({} if quick else family.large)}
    rows = []
    for name, function in chosen.items():
        start = time.perf_counter()
        try:
            found = function(seed)
        except SourceError as error:
            logger.warning("claims: %s is not measured: %s", name, error)
            continue
        values = [float(value) for value in found.values]
        number = statistics.median(values)
        rows.append((name, found.text, number, min(values), max(values), len(values), time.perf_counter() - start))
        logger.info("  %-28s %s", name, found.text)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def show(value: float) -> str:
    """Return a number with four significant digits; whole numbers in full, thousands separated."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:.4g}"
