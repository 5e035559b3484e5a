"""One table of all runs: recipe, data, seed, quality, cost, and the options that differ from the default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from terrarium.reporting.page import render_page
from terrarium.reporting.theme import PALETTE, new_figure, note_empty

_TEMPLATE = "reporting/templates/leaderboard.html.j2"
_SHOWN = 6
"""Options of a run that the page shows; the table `leaderboard.runs` has all."""
COLUMNS = (
    *("run", "family", "recipe", "data", "seed", "metric", "quality", "baseline"),
    *("seconds", "memory_mb", "status", "commit", "options"),
)


class Quality(NamedTuple):
    """The metric by which runs of a family are compared.

    Attributes:
        metric: its name; larger is better.
        baseline: the metric of an untrained model, or None.
    """

    metric: str
    baseline: str | None


QUALITY = {
    "hyperbolic": Quality("edge_map", None),
    "hyperbolic.links": Quality("test_map", None),
    "senses": Quality("test_mrr", "untrained_mrr"),
    "senses.reference": Quality("test_mrr", "untrained_mrr"),
    "knowledge_graph": Quality("test_mrr", None),
    "scenes": Quality("probe_macro_f1", "probe_macro_f1_random_encoder"),
}
"""Other families have no single number, and their quality is empty."""


def leaderboard_table(results: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per run and family that it measured, by family and falling quality.

    Args:
        results: manifest, metrics and history of each run, see `RunResultsDataset`.
        parameters: the options of all families that a run is compared with.

    Returns:
        Columns run, family, recipe (environment; empty for the default), data (options of the source that differ),
        seed, metric (name), quality, baseline (the same of an untrained model, NaN without), seconds (of training;
        of the whole run where the run did not train), memory_mb (peak while training), status, commit, and options
        (the others that differ).
    """
    rows = [_row(result, family, parameters) for result in results for family in sorted(result["metrics"])]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    order = ["family", "quality", "run"]
    return table.sort_values(order, ascending=[True, False, False], kind="stable", ignore_index=True)


def quality_figure(runs: pd.DataFrame) -> Any:
    """Draw the quality of each run over its seconds, one colour per family, with baselines as open circles.

    Args:
        runs: from `leaderboard_table`.
    """
    figure = new_figure("Quality and training time of all runs", 420)
    measured = runs.dropna(subset=["quality", "seconds"])
    if not len(measured):
        note_empty(figure, "no run has been measured yet")
        return figure
    for number, (family, rows) in enumerate(measured.groupby("family", sort=True)):
        text = [f"{row.run} {row.recipe}<br>{row.data}<br>{row.options}" for row in rows.itertuples()]
        marker = {"color": PALETTE[number % len(PALETTE)], "size": 10}
        name = f"{family}: {rows['metric'].iloc[0]}"
        seconds = rows["seconds"].clip(lower=0.01)
        figure.add_scatter(x=seconds, y=rows["quality"], mode="markers", name=name, text=text, marker=marker)
        untrained = rows.dropna(subset=["baseline"])
        open_marker = {**marker, "symbol": "circle-open"}
        figure.add_scatter(
            x=untrained["seconds"].clip(lower=0.01),
            y=untrained["baseline"],
            mode="markers",
            name=f"{family}: untrained",
            marker=open_marker,
            visible=True if len(untrained) else "legendonly",
        )
    figure.update_xaxes(type="log", title="seconds")
    figure.update_yaxes(title="quality", rangemode="tozero")
    return figure


def leaderboard_page(runs: pd.DataFrame, figure_quality: Any) -> str:
    """Render the table and the figure as a page; a click on a heading sorts."""
    shown = runs.assign(options=runs["options"].map(_shorten))
    return render_page(_TEMPLATE, title="All runs", runs=shown, plot=figure_quality)


def _shorten(options: str) -> str:
    listed = options.split(", ")
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more


def _row(result: Mapping[str, Any], name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    manifest, metrics = result["manifest"], result["metrics"][name]
    family = name.partition(".")[0]
    quality = QUALITY.get(name, Quality("", None))
    history = result["history"].get(name)
    own, usual = (dict(_flat(tree.get(family, {}))) for tree in (manifest["parameters"], parameters))
    changed = {key: value for key, value in own.items() if not key.endswith("seed") and value != usual.get(key)}
    git = manifest.get("git") or {}
    return {
        "run": manifest["run"],
        "family": name,
        "recipe": manifest["environment"] or "",
        "data": _text(changed, lambda key: key.startswith("source.")),
        "seed": ", ".join(str(seed) for seed in sorted({value for key, value in own.items() if key.endswith("seed")})),
        "metric": quality.metric,
        "quality": float(metrics.get(quality.metric, float("nan"))),
        "baseline": float(metrics.get(quality.baseline, float("nan"))),
        "seconds": _seconds(manifest, history),
        "memory_mb": float("nan") if not _has(history, "peak_memory_mb") else float(history["peak_memory_mb"].max()),
        "status": manifest["status"],
        "commit": (git.get("commit") or "")[:10] + ("+" if git.get("dirty") else ""),
        "options": _text(changed, lambda key: not key.startswith("source.")),
    }


def _seconds(manifest: Mapping[str, Any], history: pd.DataFrame | None) -> float:
    if _has(history, "seconds"):
        return float(history["seconds"].sum())  # type: ignore[index]
    if not manifest["ended"]:
        return float("nan")
    return (pd.Timestamp(manifest["ended"]) - pd.Timestamp(manifest["started"])).total_seconds()


def _has(history: pd.DataFrame | None, column: str) -> bool:
    return history is not None and column in history and len(history) > 0


def _text(options: Mapping[str, Any], wanted: Any) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(options.items()) if wanted(key))


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}.")
        else:
            yield name, value
