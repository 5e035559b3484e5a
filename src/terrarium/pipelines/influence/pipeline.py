"""The influence pipeline: ingestion, features, evaluation, reporting. It reads what a knowledge graph run made."""

from kedro.pipeline import Node, Pipeline

from terrarium.pipelines.influence import nodes
from terrarium.pipelines.influence import reporting_nodes as presentation

NAMESPACE = "influence"
GRAPH = ["triples", "entities", "relations"]
OF_THE_GRAPH = {name: f"knowledge_graph.{name}" for name in (*GRAPH, "weights", "checkpoints")}
FIGURES = ("figure_graph", "figure_scores")


def create_pipeline() -> Pipeline:
    """All stages; each node carries the tag of its stage."""
    return Pipeline([*_choosing(), *_evaluation(), *_reporting()], namespace=NAMESPACE, inputs=OF_THE_GRAPH)


def _choosing() -> list[Node]:
    return [
        Node(
            nodes.choose_triples,
            [*GRAPH, "weights", "checkpoints", "params:source"],
            "asked",
            name="choose_triples",
            tags="ingestion",
        ),
        Node(
            nodes.list_checkpoints,
            [*GRAPH, "checkpoints", "params:model"],
            "checkpoint_table",
            name="list_checkpoints",
            tags="features",
        ),
    ]


def _evaluation() -> list[Node]:
    return [
        Node(
            nodes.score,
            [*GRAPH, "checkpoints", "asked", "params:model", "params:features", "params:evaluation"],
            ["scores", "self_influence", "paths", "metrics"],
            name="score",
            tags="evaluation",
        ),
        Node(
            nodes.write_tables,
            "scores",
            ["scores_json", "scores_csv"],
            name="write_tables",
            tags="evaluation",
        ),
    ]


def _reporting() -> list[Node]:
    return [
        Node(
            presentation.draw_influence,
            ["scores", "params:reporting"],
            [*FIGURES],
            name="draw_influence",
            tags="reporting",
        ),
        Node(
            presentation.write_report,
            [
                *("checkpoint_table", "metrics", "asked", "scores", "self_influence", "paths"),
                *("params:features", "params:reporting"),
                *FIGURES,
            ],
            "report",
            name="write_report",
            tags="reporting",
        ),
    ]
