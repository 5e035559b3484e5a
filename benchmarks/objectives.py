"""Compare objectives, trade separation for MAP, and test the advice of "Taxonomy fixes" on low separation."""

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.results import report_table
from benchmarks.studies import Study, table_rows
from terrarium.hyperbolic.evaluation.compare import TRAINED
from terrarium.hyperbolic.evaluation.placement import SCORES
from terrarium.reporting.theme import PALETTE, new_figure

CLADES = ("Echinodermata", "Mammalia")
SEEDS = (0, 1, 2)

_NO_TARGETS = {"training.optimizer.train_radius": True, "training.loss.radius_penalty": 0.0}
_PLAIN = {"training.optimizer.name": "riemannian_sgd", "training.batch_size": 8, "training.sampler.hard_negatives": 0}
_DISTANCE_SOFTMAX = {
    "training.loss.name": "distance_softmax",
    "training.loss.positive_weight": 0.0,
    **_NO_TARGETS,
    **_PLAIN,
}
_DISTANCE_SOFTMAX |= {"training.sampler.negative_sampler": "non_ancestors"}


def _rate(first: float, last: float) -> dict[str, float]:
    return {"training.optimizer.learning_rate": first, "training.schedule.final_learning_rate": last}


OBJECTIVES: dict[str, dict[str, Any]] = {
    "detour": {"training.loss.name": "detour"},
    "distance_softmax, T=1": {**_DISTANCE_SOFTMAX, "training.loss.temperature": 1.0, **_rate(0.8, 0.8)},
    "distance_softmax, T=1/3": {**_DISTANCE_SOFTMAX, "training.loss.temperature": 1.0 / 3.0, **_rate(0.3, 0.3)},
    "margin_ranking": {"training.loss.name": "margin_ranking", **_rate(0.1, 0.003)},
    "joint": {"training.skip_above": 1.0},
}
"""Settings by loss; what is not named is what suits the loss."""

PRESCRIBED: dict[str, Any] = {
    "features.radius_schedule": "linear",
    "model.init": "inherited",
    "training.loss.name": "detour",
    "training.loss.temperature": 0.05,
    "training.loss.positive_weight": 10.0,
    "training.max_epochs": 40,
    **_rate(0.2, 0.003),
}
"""Recipe prescribed_norms."""

MEASURES = {
    "ancestor_map_detour": "MAP by detour",
    "ancestor_map_distance": "MAP by distance",
    "edge_map": "edge MAP",
    "depth_norm_pearson": "r",
    "hops_spearman": "Spearman of path lengths",
    "separation_class": "separation, class",
    "separation_order": "separation, order",
    "separation_family": "separation, family",
    "purity_order": "purity, order",
    "purity_family": "purity, family",
}
SHOWN = ("MAP by detour", "MAP by distance")
POSITIVE_WEIGHTS = (0.0, 2.0, 5.0, 10.0, 20.0, 40.0)
INIT_NOISES = (0.5, 0.3, 0.2, 0.1)
FRONTIER = {"Echinodermata": "class", "Mammalia": "order", "Aves": "order"}
"""Clade -> the rank whose separation is shown."""
ADVICE: dict[str, dict[str, Any]] = {
    "v2: radius penalty 0.1, margin 0.2, random start": {},
    "radius penalty 0.05": {"training.loss.radius_penalty": 0.05},
    "radius penalty 0.01": {"training.loss.radius_penalty": 0.01},
    "margin 0.3": {"training.loss.margin": 0.3},
    "margin 0.5": {"training.loss.margin": 0.5},
    "no stopping": {"training.stopping.patience": 0},
    "all start norms equal": {"features.root_norm": 0.5, "features.leaf_norm": 0.5001},
    "radii held": {"training.optimizer.train_radius": False},
    "radii held, margin 1": {"training.optimizer.train_radius": False, "training.loss.margin": 1.0},
    "radii held, inherited start": {"training.optimizer.train_radius": False, "model.init": "inherited"},
    "detour, the default": None,
}


def main() -> None:
    """Measure every objective and untrained layout: metrics, placement and purity, medians over the seeds."""
    for clade in CLADES:
        tables = [_objectives(clade, seed) for seed in SEEDS]
        median = pd.concat(tables).groupby(level=0, sort=False).median()
        seeds = f"median of {', '.join(map(str, SEEDS))}"
        report_table(f"objectives_{clade.lower()}", table_rows(median, "layout"), seed=seeds)


def _objectives(clade: str, seed: int) -> pd.DataFrame:
    rows = {}
    for name, changes in OBJECTIVES.items():
        study = Study.of(clade, {"training.stopping.patience": 0, **changes}, seed)
        numbers, history = study.measure(untrained=not rows)
        placed = study.place()
        taken = [TRAINED] if rows else [TRAINED, "rays", "caps", "combinatorial", "inherited", "random"]
        for layout in taken:
            label = name if layout == TRAINED else layout
            rows[label] = _measures(numbers.loc[layout]) | _placement(placed[placed["layout"] == layout])
        rows[name]["training s"] = history["seconds"].sum()
    return pd.DataFrame(rows).T


_KINDS = {"leaf": "leaves", "clade": "clades"}


def _measures(numbers: pd.Series) -> dict[str, float]:
    return {label: float(numbers[name]) for name, label in MEASURES.items() if name in numbers}


def _placement(placed: pd.DataFrame) -> dict[str, float]:
    by = placed.set_index(["kind", "score"])["exact"]
    return {
        f"{_KINDS[kind]} placed by {score}": float(by[kind, score]) for kind in ("leaf", "clade") for score in SCORES
    }


def frontier() -> None:
    """Measure separation against both MAPs, by positive_weight and untrained; write a table and a figure."""
    rows = []
    for clade, rank in FRONTIER.items():
        for label, changes in _frontier_runs().items():
            numbers, _ = Study.of(clade, changes).measure(untrained=False)
            values = numbers.loc[TRAINED]
            row = {"clade": clade, "layout": label, "separation": values[f"separation_{rank}"]}
            rows.append(row | _measures(values))
    table = pd.DataFrame(rows)
    report_table("frontier", table_rows(_wide(table), "layout"))
    page = Path(tempfile.mkdtemp()) / "frontier.html"
    frontier_figure(table).write_html(page, include_plotlyjs=True)
    print(f"\nfigure: {page}", flush=True)


def _wide(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per layout, with separation and both MAPs of each clade as columns."""
    parts = []
    for clade, part in table.groupby("clade", sort=False):
        numbers = part.set_index("layout")[["separation", *SHOWN]]
        separation = {"separation": f"{FRONTIER[str(clade)]} separation"}
        parts.append(numbers.rename(columns=separation).add_prefix(f"{clade}: "))
    return pd.concat(parts, axis=1)


def _frontier_runs() -> dict[str, dict[str, Any]]:
    trained = {
        f"detour, positive_weight {weight:g}": {**PRESCRIBED, "training.loss.positive_weight": weight}
        for weight in POSITIVE_WEIGHTS
    }
    inherited = {
        f"inherited, {noise:g}": {**PRESCRIBED, "training.max_epochs": 0, "model.init_noise": noise}
        for noise in INIT_NOISES
    }
    return {**trained, **inherited, "constructed": {"training.loss.name": "construct"}}


def frontier_figure(table: pd.DataFrame) -> Any:
    """Plot separation against MAP by detour and by distance, one column per clade.

    Args:
        table: columns clade, layout, separation and the metrics of `SHOWN`.
    """
    clades = list(dict.fromkeys(table["clade"]))
    titles = [f"{clade}: {FRONTIER[clade]}" for clade in clades]
    figure = new_figure(
        "What separation costs",
        rows=2,
        cols=len(clades),
        shared_xaxes=True,
        vertical_spacing=0.08,
        subplot_titles=titles,
    )
    kinds = {
        "detour": ("trained on detour, by positive_weight", PALETTE[0]),
        "inherited": ("inherited, untrained, by init_noise", PALETTE[1]),
    }
    kinds["constructed"] = ("constructed", PALETTE[2])
    for column, clade in enumerate(clades, start=1):
        part = table[table["clade"] == clade]
        for start, (name, colour) in kinds.items():
            line = part[part["layout"].str.startswith(start)]
            for row, measure in enumerate(SHOWN, start=1):
                figure.add_scatter(
                    x=line["separation"],
                    y=line[measure],
                    text=line["layout"].str.split().str[-1] if start != "constructed" else None,
                    mode="lines+markers+text",
                    textposition="bottom center" if start == "inherited" else "top center",
                    name=name,
                    legendgroup=name,
                    showlegend=column == row == 1,
                    line={"color": colour},
                    marker={"size": 8},
                    row=row,
                    col=column,
                )
                limit = [0.0, 1.1] if row == 1 else [0.0, 1.25 * table[measure].max()]
                figure.update_yaxes(range=limit, title_text=measure if column == 1 else None, row=row, col=column)
        figure.update_xaxes(title_text="separation", row=2, col=column)
    figure.update_layout(height=680, legend={"y": -0.1, "yanchor": "top"})
    return figure


def advice() -> None:
    """Test the advice of "Taxonomy fixes" for low separation: its loss with Riemannian steps."""
    reference = {
        "training.loss.name": "margin_ranking",
        "training.loss.pair_weights": "sqrt_depth",
        "training.batch_size": 64,
        "training.optimizer.train_radius": True,
        "training.loss.radius_penalty": 0.1,
        "training.max_epochs": 40,
        "model.init": "random",
        **_rate(0.005, 0.005),
    }
    rows = {}
    for name, changes in ADVICE.items():
        study = Study.of("Echinodermata", {} if changes is None else reference | changes)
        numbers, history = study.measure(untrained=False)
        rows[name] = _measures(numbers.loc[TRAINED]) | {"epochs": float(len(history))}
    report_table("separation_advice", table_rows(pd.DataFrame(rows).T, "setting"))
