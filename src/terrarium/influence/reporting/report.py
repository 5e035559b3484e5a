"""The report of a run of the influence family."""

from __future__ import annotations

from typing import Any

import pandas as pd

from terrarium.influence.options import FeatureOptions, ReportingOptions
from terrarium.influence.reporting.figures import graph_figure
from terrarium.influence.scoring.tables import sentence
from terrarium.reporting.page import Block, code, figure, heading, page, paragraph, table

STANDS_OUT = 0.05
"""A best path as good in fewer shuffles than this share stands out."""
UNITS = {
    "removal": "what the loss of its questions would lose if the triple were removed",
    "share": "its share of the loss of its questions; the shares of a question's answers add up to its loss",
    "row": "the whole loss of its questions",
    "positive": "the own answer's term of the gradient alone, without any other answer's",
}


def report_page(
    *,
    checkpoints: pd.DataFrame,
    features: FeatureOptions,
    metrics: dict[str, float],
    asked: pd.DataFrame,
    scores: pd.DataFrame,
    self_influence: pd.DataFrame,
    paths: pd.DataFrame,
    reporting: ReportingOptions,
    figure_graph: Any,
    figure_scores: Any,
) -> str:
    """The page: what caused the predictions, triple by triple, and how it was computed."""
    blocks = [
        *_triples(asked, scores, paths, reporting, figure_graph, figure_scores),
        *_common(metrics),
        *_self(self_influence, reporting.edges),
        heading("How it was computed"),
        paragraph(_how(checkpoints, features, metrics)),
        table(checkpoints),
        code(_loading(asked)),
    ]
    return page("Influence", blocks)


def _triples(
    asked: pd.DataFrame,
    scores: pd.DataFrame,
    paths: pd.DataFrame,
    reporting: ReportingOptions,
    figure_graph: Any,
    figure_scores: Any,
) -> list[Block]:
    """A section for each triple: what the model says of it, its picture, its strongest triples and its paths."""
    if asked.empty:
        return [paragraph("No triple was asked about: these are influences of training triples on themselves.")]
    blocks: list[Block] = []
    for test, triple in enumerate(asked.head(reporting.triples).to_dict("records")):
        rows = scores[(scores["test"] == test) & (scores["rank"] <= reporting.edges)]
        picture = graph_figure(scores, test, reporting.edges) if test else figure_graph
        blocks += [
            heading(sentence(triple, "")),
            paragraph(_standing(triple)),
            figure(picture, f"proponents-{test + 1}"),
            *([] if test else [figure(figure_scores, "influences")]),
            table(_strongest(rows)),
            *_paths(paths[paths["test"] == test]),
        ]
    return blocks


def _standing(triple: Any) -> str:
    stands = f"It stands in the split {triple['known']}." if triple["known"] else "It stands in no split."
    return (
        f"The model ranks this tail {triple['rank']:,} among those that training does not give the question, with "
        f"probability {triple['probability']:.3g}. {stands}"
    )


def _strongest(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "training triple": [sentence(row) for row in rows.to_dict("records")],
            "side": rows["side"].tolist(),
            "influence": rows["score"].tolist(),
            "its influence on itself": rows["self_influence"].tolist(),
        }
    )


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
            f" {_verdict(first['p_value'])} With the influences shuffled among triples of the same relation that "
            + (
                f"touch head and tail alike, the best path of more than one edge is as good in a share of "
                f"{first['p_value']:.3f} of the cases (its mean {first['null_best']:.3g})."
            )
        )
    return [paragraph(told), table(rows[["path", "edges", "score"]].rename(columns={"score": "mean influence"}))]


def _verdict(p_value: float) -> str:
    return "The best one stands out." if p_value < STANDS_OUT else "No path stands out."


def _common(metrics: dict[str, float]) -> list[Block]:
    names = [name for name in ("proponents", "opponents", "training") if f"{name}_same_relation" in metrics]
    if not names:
        return []
    shares = [
        {
            "triples": name,
            "same relation": metrics[f"{name}_same_relation"],
            "shared entity": metrics[f"{name}_shared_entity"],
        }
        for name in names
    ]
    return [heading("What proponents have in common with their triple"), table(pd.DataFrame(shares))]


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
        f"{metrics['training_triples']:,.0f} training triples, {metrics['triples_asked']:,.0f} asked about"
        + (f", {metrics['seconds']:.1f} seconds." if "seconds" in metrics else ".")
    )


def _loading(asked: pd.DataFrame) -> str:
    if asked.empty:
        return 'own = catalog.load("influence.self_influence")  # training triple, self_influence'
    return 'scores = catalog.load("influence.scores")  # test, side, rank, training triple, score'
