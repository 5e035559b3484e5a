"""Gaps grouped into situations: what the recorded graphs have that the simulated scenes have more rarely or never."""

from __future__ import annotations

from math import comb

import numpy as np
import pandas as pd

from terrarium.scenes.coverage.comparison import Comparison
from terrarium.scenes.coverage.detectors import count_scenes
from terrarium.scenes.coverage.patterns import PatternTable, describe_pattern

SIGNIFICANT = 0.05
NOT_ENOUGH = "not enough scenes for a p-value"
SITUATION_COLUMNS = (
    "situation",
    "times_rarer",
    "p",
    "p_adjusted",
    "graphs",
    "recorded_scenes",
    "simulated_scenes",
    "tagged",
    "pattern",
    "row",
)


def has_enough_scenes(comparison: Comparison) -> bool:
    """Return whether a permutation of the scenes could be significant at all.

    The smallest p-value is one over the number of ways to choose the query scenes. Each side must have two scenes.
    """
    query, reference = comparison.num_scenes
    return min(query, reference) >= 2 and 1 / comb(query + reference, query) <= SIGNIFICANT


def compare_patterns(comparison: Comparison, table: PatternTable) -> pd.DataFrame:
    """Count the scenes with each pattern and test whether the reference has it more rarely.

    The p-value is Fisher's exact test of the numbers of scenes, one-sided; scenes are exchangeable, graphs of one scene
    are not. It is adjusted for the number of patterns of the query (Benjamini and Hochberg 1995).

    Args:
        comparison: recorded (query) and simulated (reference) graphs.
        table: patterns of the graphs.

    Returns:
        One row per pattern: recorded_scenes, simulated_scenes, times_rarer, the ratio of the fractions of scenes with
        1/2 added to both numbers, p and p_adjusted; these two are NaN if there are not enough scenes.
    """
    from scipy.stats import false_discovery_control, hypergeom

    recorded = count_scenes(table.table, comparison.scene, comparison.is_query)
    simulated = count_scenes(table.table, comparison.scene, ~comparison.is_query)
    total, other = comparison.num_scenes
    found = pd.DataFrame({"recorded_scenes": recorded.astype(np.int64), "simulated_scenes": simulated.astype(np.int64)})
    found["times_rarer"] = ((recorded + 0.5) / total) / ((simulated + 0.5) / other)
    found["p"], found["p_adjusted"] = np.nan, np.nan
    if has_enough_scenes(comparison):
        found["p"] = hypergeom.sf(recorded - 1, total + other, recorded + simulated, total)
        tested = found["recorded_scenes"] > 0
        found.loc[tested, "p_adjusted"] = false_discovery_control(found.loc[tested, "p"].clip(0.0, 1.0))
    return found


def group_situations(tested: pd.DataFrame, table: PatternTable, gaps: pd.DataFrame) -> pd.DataFrame:
    """Group the graphs that are gaps by the pattern that sets them apart.

    Args:
        tested: from `compare_patterns`.
        table: the patterns.
        gaps: one row per gap: pattern (column of its most novel pattern), row (in the table of all graphs), score, and
            tagged (whether it has a tag, such as a critical one).

    Returns:
        One row per situation with the columns `SITUATION_COLUMNS`: rare and tagged ones first (p_adjusted below
        `SIGNIFICANT` and at least one tagged graph), then rare ones, each by p. `row` is the gap with the largest
        score, tagged ones first; `tagged` the fraction of the graphs with a tag; `pattern` the column in the table.
    """
    gaps = gaps.sort_values(["tagged", "score"], ascending=False, kind="stable")
    grouped = gaps.groupby("pattern", sort=True).agg(
        graphs=("row", "size"), tagged=("tagged", "mean"), row=("row", "first"), score=("score", "max")
    )
    found = tested.loc[grouped.index].join(grouped).reset_index(names="pattern")
    found["situation"] = [describe_pattern(table.patterns[pattern]) for pattern in found["pattern"]]
    is_rare = found["p_adjusted"] < SIGNIFICANT
    order = found.assign(first=is_rare & (found["tagged"] > 0), second=is_rare, p=found["p"].fillna(1.0))
    order = order.sort_values(["first", "second", "p", "score"], ascending=[False, False, True, False], kind="stable")
    return found.loc[order.index, list(SITUATION_COLUMNS)].reset_index(drop=True)
