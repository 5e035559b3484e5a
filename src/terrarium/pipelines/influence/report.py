"""The report of a run of the influence family."""

from __future__ import annotations

from typing import Any

import pandas as pd

from terrarium.pipelines.influence.options import FeatureOptions, ReportingOptions
from terrarium.pipelines.influence.tables import sentence
from terrarium.reporting.page import Block, code, figure, heading, page, paragraph, table

UNITS = {
    "removal": "what the loss of its questions would lose if the triple were removed",
    "share": "its share of the loss of its questions; the shares of a question's answers add up to its loss",
    "row": "the whole loss of its questions",
}


def report_page(
    *,
    checkpoints: pd.DataFrame,
    features: FeatureOptions,
    metrics: dict[str, float],
    scores: pd.DataFrame,
    self_influence: pd.DataFrame,
    paths: pd.DataFrame,
    reporting: ReportingOptions,
    figure_graph: Any,
    figure_scores: Any,
) -> str:
    """The page: what caused the predictions, triple by triple, and how it was computed."""
    blocks = [
        heading("What caused the first prediction"),
        figure(figure_graph, "proponents"),
        figure(figure_scores, "influences"),
        *_triples(scores, paths, reporting),
        heading("What proponents have in common with their triple"),
        table(_common(metrics)),
        *_self(self_influence, reporting.edges),
        heading("How it was computed"),
        paragraph(_how(checkpoints, features, metrics)),
        table(checkpoints),
        code('scores = catalog.load("influence.scores")  # test, side, rank, training triple, score'),
    ]
    return page("Influence", blocks)


def _triples(scores: pd.DataFrame, paths: pd.DataFrame, reporting: ReportingOptions) -> list[Block]:
    blocks: list[Block] = []
    for test, rows in list(scores.groupby("test", sort=True))[: reporting.triples]:
        shown = rows[rows["rank"] <= reporting.edges]
        blocks += [
            heading(sentence(rows.iloc[0], "test_")),
            table(
                pd.DataFrame(
                    {
                        "training triple": [sentence(row) for row in shown.to_dict("records")],
                        "side": shown["side"].tolist(),
                        "influence": shown["score"].tolist(),
                        "its influence on itself": shown["self_influence"].tolist(),
                    }
                )
            ),
            *_paths(paths[paths["test"] == test]),
        ]
    return blocks


def _paths(rows: pd.DataFrame) -> list[Block]:
    if rows.empty:
        return []
    first = rows.iloc[0]
    if not first["candidate_paths"]:
        return [paragraph("No path of the length asked for leads from head to tail.")]
    told = (
        f"Of {first['candidate_paths']:,} paths over {first['candidate_edges']:,} training triples these are the best."
    )
    if pd.notna(first["p_value"]):
        told += (
            f" With the influences shuffled among those triples the best path is as good in a share of"
            f" {first['p_value']:.3f} of the cases (its mean {first['null_best']:.3g})."
        )
    return [paragraph(told), table(rows[["path", "edges", "score"]].rename(columns={"score": "mean influence"}))]


def _common(metrics: dict[str, float]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "triples": name,
                "same relation": metrics[f"{name}_same_relation"],
                "shared entity": metrics[f"{name}_shared_entity"],
            }
            for name in ("proponents", "opponents", "training")
        ]
    )


def _self(own: pd.DataFrame, shown: int) -> list[Block]:
    if own.empty:
        return []
    first = own.head(shown)
    rows = pd.DataFrame(
        {
            "training triple": [sentence(row, "") for row in first.to_dict("records")],
            "influence on itself": first["self_influence"].tolist(),
        }
    )
    return [
        heading("Highest influence on themselves"),
        paragraph("Triples that the others do not support: rare, or wrong."),
        table(rows),
    ]


def _how(checkpoints: pd.DataFrame, features: FeatureOptions, metrics: dict[str, float]) -> str:
    return (
        f"The sum over {len(checkpoints)} checkpoints of learning rate times the product of gradients (TracInCP, "
        f"Pruthi 2020). What belongs to a triple: {UNITS[features.unit]}. "
        f"Layers: {', '.join(features.layers) or 'all'}. "
        f"{metrics['training_triples']:,.0f} training triples, {metrics['triples_asked']:,.0f} asked about, "
        f"{metrics['seconds']:.1f} seconds."
    )
