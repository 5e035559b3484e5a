"""The hyperbolic pipeline: ingestion, features, training, evaluation, reporting."""

from kedro.pipeline import Node, Pipeline

from terrarium.pipelines.hyperbolic import nodes
from terrarium.pipelines.hyperbolic import reporting_nodes as presentation

NAMESPACE = "hyperbolic"
FIGURES = ("figure_loss", "figure_norms", "figure_radius", "figure_separation", "figure_purity", "figure_disk")


def create_pipeline() -> Pipeline:
    """All stages; each node carries the tag of its stage."""
    return Pipeline(
        [*_ingestion(), *_features(), *_training(), *_evaluation(), *_reporting()],
        namespace=NAMESPACE,
    )


def _ingestion() -> list[Node]:
    return [
        Node(nodes.read_source, "params:source", "source_table", name="read_source", tags="ingestion"),
        Node(
            nodes.build_taxonomy,
            ["source_table", "params:source", "params:evaluation.ranks", "params:reporting.disk_rank"],
            ["taxa", "edges", "cleaning"],
            name="build_taxonomy",
            tags="ingestion",
        ),
        Node(nodes.build_closure, ["edges", "params:source"], "closure", name="build_closure", tags="ingestion"),
    ]


def _features() -> list[Node]:
    return [
        Node(
            nodes.compute_target_radii,
            ["taxa", "params:features"],
            "depths",
            name="compute_target_radii",
            tags="features",
        )
    ]


def _training() -> list[Node]:
    return [
        Node(
            nodes.initialise,
            ["edges", "depths", "params:model", "params:training.loss.name"],
            "initial_weights",
            name="initialise",
            tags="training",
        ),
        Node(
            nodes.train,
            ["edges", "closure", "depths", "initial_weights", "training_state", "params:model", "params:training"],
            ["weights", "checkpoints", "history", "training_summary"],
            name="train",
            tags="training",
        ),
    ]


def _evaluation() -> list[Node]:
    return [
        Node(
            nodes.export_vectors,
            ["taxa", "edges", "weights"],
            "vectors",
            name="export_vectors",
            tags="evaluation",
        ),
        Node(
            nodes.evaluate,
            ["taxa", "edges", "depths", "weights", "params:model", "params:evaluation"],
            ["metrics", "layout_metrics", "rank_metrics"],
            name="evaluate",
            tags="evaluation",
        ),
    ]


def _reporting() -> list[Node]:
    return [
        Node(
            presentation.draw_training,
            "history",
            ["figure_loss", "figure_norms"],
            name="draw_training",
            tags="reporting",
        ),
        Node(
            presentation.draw_radius,
            ["vectors", "depths", "params:reporting"],
            "figure_radius",
            name="draw_radius",
            tags="reporting",
        ),
        Node(
            presentation.draw_ranks,
            "rank_metrics",
            ["figure_separation", "figure_purity"],
            name="draw_ranks",
            tags="reporting",
        ),
        Node(
            presentation.draw_disk, ["vectors", "params:reporting"], "figure_disk", name="draw_disk", tags="reporting"
        ),
        Node(
            presentation.write_report,
            [
                "params:source",
                "cleaning",
                "training_summary",
                "history",
                "metrics",
                "layout_metrics",
                "rank_metrics",
                *FIGURES,
            ],
            "report",
            name="write_report",
            tags="reporting",
        ),
    ]
