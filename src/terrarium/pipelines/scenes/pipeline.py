"""The scenes pipeline: ingestion, features, training, evaluation, reporting."""

from kedro.pipeline import Node, Pipeline

from terrarium.pipelines.scenes import nodes
from terrarium.pipelines.scenes import reporting_nodes as presentation

NAMESPACE = "scenes"
FIGURES = ("figure_training", "figure_quality", "figure_archetypes", "figure_map", "figure_gaps", "figure_scenes")


def create_pipeline() -> Pipeline:
    """All stages; each node carries the tag of its stage."""
    return Pipeline(
        [*_ingestion(), *_features(), *_training(), *_evaluation(), *_reporting()],
        namespace=NAMESPACE,
    )


def _ingestion() -> list[Node]:
    return [Node(nodes.read_source, "params:source", ["tracks", "lanes"], name="read_source", tags="ingestion")]


def _features() -> list[Node]:
    return [
        Node(
            nodes.build_graphs,
            ["tracks", "lanes", "params:features"],
            ["graphs", "graph_index", "archetypes"],
            name="build_graphs",
            tags="features",
        ),
    ]


def _training() -> list[Node]:
    return [
        Node(
            nodes.train,
            ["graphs", "graph_index", "training_state", "params:model", "params:training", "params:features"],
            ["weights", "checkpoints", "history", "training_summary", "training_log"],
            name="train",
            tags="training",
        )
    ]


def _evaluation() -> list[Node]:
    return [
        Node(
            nodes.export_embeddings,
            ["graphs", "graph_index", "weights"],
            "embeddings",
            name="export_embeddings",
            tags="evaluation",
        ),
        Node(
            nodes.evaluate,
            ["graphs", "graph_index", "archetypes", "weights", "params:evaluation"],
            ["metrics", "representation_metrics", "archetype_metrics"],
            name="evaluate",
            tags="evaluation",
        ),
        Node(
            nodes.measure_coverage,
            ["graphs", "graph_index", "weights", "embeddings", "archetypes", "params:evaluation"],
            ["coverage", "archetype_gaps", "known_holes", "coverage_metrics"],
            name="measure_coverage",
            tags="evaluation",
        ),
    ]


def _reporting() -> list[Node]:
    return [
        Node(presentation.draw_training, "history", "figure_training", name="draw_training", tags="reporting"),
        Node(
            presentation.draw_quality,
            ["representation_metrics", "archetype_metrics"],
            ["figure_quality", "figure_archetypes"],
            name="draw_quality",
            tags="reporting",
        ),
        Node(
            presentation.draw_coverage,
            [
                *("graphs", "graph_index", "lanes", "embeddings", "coverage", "archetype_gaps"),
                *("params:evaluation", "params:reporting"),
            ],
            ["figure_map", "figure_gaps", "figure_scenes"],
            name="draw_coverage",
            tags="reporting",
        ),
        Node(
            presentation.write_report,
            [
                *("graph_index", "archetypes", "training_summary", "representation_metrics", "coverage"),
                *("archetype_gaps", "known_holes", "coverage_metrics", "params:reporting"),
                *FIGURES,
            ],
            "report",
            name="write_report",
            tags="reporting",
        ),
    ]
