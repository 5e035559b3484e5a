"""The report of a run of the influence family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from terrarium.influence.data.named_graph import triple_text
from terrarium.influence.options import AttributionOptions, ReportingOptions
from terrarium.influence.reporting.figures import graph_figure, score_figure
from terrarium.influence.reporting.sentences import explanation
from terrarium.influence.scoring.method import count_checkpoints, method_name
from terrarium.influence.scoring.paths import SIGNIFICANCE_LEVEL
from terrarium.reporting.page import render_page

UNITS = {
    "removal": "the change of its rows' loss if the triple were removed",
    "share": "an equal share of its rows' loss",
    "row": "the whole loss of its rows",
    "positive": "the term of its own answer alone, without other answers and negatives",
}


def report_page(
    *,
    checkpoint_table: pd.DataFrame,
    metrics: Mapping[str, float],
    queries: pd.DataFrame,
    scores: pd.DataFrame,
    self_influence: pd.DataFrame,
    paths: pd.DataFrame,
    attribution: AttributionOptions,
    reporting: ReportingOptions,
) -> str:
    """Return the report as HTML: what caused the predictions, query by query, and how it was computed.

    Args:
        checkpoint_table: columns training, epoch, learning_rate.
        metrics, scores, self_influence, paths: see `scoring.InfluenceTables`.
        queries: see `queries.select_queries`.
        attribution, reporting: the options.
    """
    shown = queries.head(reporting.num_queries).to_dict("records")
    return render_page(
        "influence/reporting/report.html.j2",
        title="Influence",
        queries=[_query_section(number, row, scores, paths, reporting) for number, row in enumerate(shown)],
        score_plot=score_figure(scores, 0, reporting.num_proponents) if shown else None,
        shared=_shared_table(metrics),
        self_influence=_self_influence_table(self_influence.head(reporting.num_proponents)),
        checkpoints=checkpoint_table,
        metrics=metrics,
        method=method_name(attribution, int(metrics["training_triples"]), *count_checkpoints(checkpoint_table)),
        unit=UNITS[attribution.attribution_unit],
        layers=", ".join(attribution.layers) or "all",
        significance_level=SIGNIFICANCE_LEVEL,
    )


def _query_section(
    number: int, query: Mapping[Any, Any], scores: pd.DataFrame, paths: pd.DataFrame, reporting: ReportingOptions
) -> dict[str, Any]:
    """Return what the template shows of a query triple."""
    rows = scores[(scores["query"] == number) & (scores["rank"] <= reporting.num_proponents)]
    own_paths = paths[paths["query"] == number]
    return {
        "text": triple_text(query),
        "rank": query["rank"],
        "probability": query["probability"],
        "split": query["split"],
        "explanation": explanation(rows),
        "plot": graph_figure(scores, number, reporting.num_proponents),
        "influences": pd.DataFrame(
            {
                "training triple": [triple_text(row, "train_") for row in rows.to_dict("records")],
                "side": rows["side"].tolist(),
                "influence": rows["score"].tolist(),
                "its self-influence": rows["train_self_influence"].tolist(),
            }
        ),
        "paths": own_paths[["path", "edges", "score"]],
        "path_test": None if own_paths.empty else own_paths.iloc[0].to_dict(),
    }


def _shared_table(metrics: Mapping[str, float]) -> pd.DataFrame:
    names = [name for name in ("proponents", "opponents", "training") if f"{name}_same_relation" in metrics]
    return pd.DataFrame(
        {
            "triples": names,
            "same relation": [metrics[f"{name}_same_relation"] for name in names],
            "shared entity": [metrics[f"{name}_shared_entity"] for name in names],
        }
    )


def _self_influence_table(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "training triple": [triple_text(row) for row in rows.to_dict("records")],
            "self-influence": rows["self_influence"].tolist(),
        }
    )
