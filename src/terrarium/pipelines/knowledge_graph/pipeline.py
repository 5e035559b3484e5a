"""The knowledge graph pipeline: ingestion, features, training, evaluation, reporting."""

from kedro.pipeline import Node, Pipeline

from terrarium.pipelines.knowledge_graph import nodes
from terrarium.pipelines.knowledge_graph import reporting_nodes as presentation

NAMESPACE = "knowledge_graph"
GRAPH = ["triples", "entities", "relations"]
FIGURES = ("figure_loss", "figure_validation", "figure_relations", "figure_methods")


def create_pipeline() -> Pipeline:
    """All stages; each node carries the tag of its stage."""
    return Pipeline(
        [*_ingestion(), *_features(), *_training(), *_evaluation(), *_reporting()],
        namespace=NAMESPACE,
    )


def _ingestion() -> list[Node]:
    return [
        Node(
            nodes.read_source,
            "params:source",
            ["source_triples", "entities", "relations", "source_counts"],
            name="read_source",
            tags="ingestion",
        )
    ]


def _features() -> list[Node]:
    return [
        Node(
            nodes.split_triples,
            ["source_triples", "entities", "relations", "params:features"],
            ["triples", "split_counts"],
            name="split_triples",
            tags="features",
        )
    ]


def _training() -> list[Node]:
    return [
        Node(
            nodes.write_config,
            [*GRAPH, "params:model", "params:training", "params:evaluation"],
            "config",
            name="write_config",
            tags="training",
        ),
        Node(
            nodes.train,
            [*GRAPH, "config", "training_state", "params:model", "params:training", "params:evaluation"],
            ["weights", "checkpoints", "history", "training_summary"],
            name="train",
            tags="training",
        ),
    ]


def _evaluation() -> list[Node]:
    return [
        Node(
            nodes.evaluate,
            [*GRAPH, "weights", "params:evaluation"],
            ["metrics", "relation_metrics", "method_metrics", "ranks"],
            name="evaluate",
            tags="evaluation",
        ),
        Node(
            nodes.predict,
            [*GRAPH, "weights", "params:evaluation"],
            "predictions",
            name="predict",
            tags="evaluation",
        ),
    ]


def _reporting() -> list[Node]:
    return [
        Node(
            presentation.draw_training,
            "history",
            ["figure_loss", "figure_validation"],
            name="draw_training",
            tags="reporting",
        ),
        Node(
            presentation.draw_quality,
            ["relation_metrics", "method_metrics", "params:reporting"],
            ["figure_relations", "figure_methods"],
            name="draw_quality",
            tags="reporting",
        ),
        Node(
            presentation.write_report,
            [
                "source_counts",
                "split_counts",
                "training_summary",
                "history",
                "metrics",
                "relation_metrics",
                "method_metrics",
                "predictions",
                "params:reporting",
                *FIGURES,
            ],
            "report",
            name="write_report",
            tags="reporting",
        ),
    ]
