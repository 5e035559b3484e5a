"""The hyperbolic pipeline: ingestion, features, training, evaluation, reporting."""

from kedro.pipeline import Node, Pipeline

from terrarium.hyperbolic.reporting import figures
from terrarium.hyperbolic.reporting.disk import disk_figure
from terrarium.hyperbolic.reporting.radius_quality import quality_figure
from terrarium.hyperbolic.reporting.report import report_page
from terrarium.pipelines.hyperbolic import nodes

NAMESPACE = "hyperbolic"
LOSS = "params:training.loss.name"


def create_pipeline() -> Pipeline:
    """Return all stages; each node has the tag of its stage."""
    return Pipeline(
        [*_ingestion(), compute_target_radii(), *training(), *_evaluation(), _radii(), *_reporting()],
        namespace=NAMESPACE,
    )


def build_closure() -> Node:
    """Return the node that lists the pairs of ancestor and descendant."""
    return Node(nodes.build_closure, ["edges", "params:source"], "closure", name="build_closure", tags="ingestion")


def compute_target_radii() -> Node:
    """Return the node that constructs the layout and computes target radii."""
    return Node(
        nodes.compute_target_radii,
        ["taxa", "edges", "params:features", "params:model", LOSS],
        {name: name for name in ("depths", "constructed_layout")},
        name="compute_target_radii",
        tags="features",
    )


def training(
    edges: str = "edges",
    depths: str = "depths",
    constructed: str = "constructed_layout",
    source_info: str = "source_info",
) -> list[Node]:
    """Return the nodes that make the initial layout and train it.

    Args:
        edges: dataset of the edges.
        depths: dataset of depths and target radii.
        constructed: dataset of the constructed layout.
        source_info: dataset that says what the taxa were read from.
    """
    return [
        Node(
            nodes.initialize,
            [edges, constructed, source_info, "params:source", "params:model", LOSS],
            "initial_weights",
            name="initialize",
            tags="training",
        ),
        Node(
            nodes.train,
            [edges, "closure", depths, "initial_weights", "training_state", "params:model", "params:training"],
            {name: name for name in ("weights", "checkpoints", "history", "training_summary")},
            name="train",
            tags="training",
        ),
    ]


def _ingestion() -> list[Node]:
    return [
        Node(
            nodes.read_source,
            "params:source",
            {name: name for name in ("source_table", "source_info")},
            name="read_source",
            tags="ingestion",
        ),
        Node(
            nodes.build_taxonomy,
            ["source_table", "params:source", "params:evaluation.ranks", "params:reporting.disk_rank"],
            {name: name for name in ("taxa", "edges", "cleaning_report")},
            name="build_taxonomy",
            tags="ingestion",
        ),
        build_closure(),
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
            ["taxa", "edges", "constructed_layout", "weights", "params:model", "params:evaluation", LOSS],
            {name: name for name in ("metrics", "layout_metrics", "rank_metrics", "misplaced")},
            name="evaluate",
            tags="evaluation",
        ),
    ]


def _radii() -> Node:
    return Node(
        nodes.measure_radii,
        ["edges", "closure", "constructed_layout", "params:model", "params:training", "params:evaluation"],
        "radius_metrics",
        name="measure_radii",
        tags="evaluation",
    )


def _reporting() -> list[Node]:
    return [
        Node(figures.loss_figure, "history", "figure_loss", name="draw_loss", tags="reporting"),
        Node(figures.norm_figure, "history", "figure_norms", name="draw_norms", tags="reporting"),
        Node(
            figures.radius_figure,
            ["vectors", "depths", "params:reporting.max_scatter_points"],
            "figure_radius",
            name="draw_radius",
            tags="reporting",
        ),
        Node(quality_figure, "radius_metrics", "figure_quality", name="draw_quality", tags="reporting"),
        Node(figures.separation_figure, "rank_metrics", "figure_separation", name="draw_separation", tags="reporting"),
        Node(figures.purity_figure, "rank_metrics", "figure_purity", name="draw_purity", tags="reporting"),
        Node(
            disk_figure,
            {
                "vectors": "vectors",
                "rank": "params:reporting.disk_rank",
                "points": "params:reporting.max_disk_points",
                "groups": "params:reporting.num_disk_groups",
            },
            "figure_disk",
            name="draw_disk",
            tags="reporting",
        ),
        Node(
            report_page,
            {
                "source_info": "source_info",
                "vectors": "vectors",
                "cleaning_report": "cleaning_report",
                "training_summary": "training_summary",
                "history": "history",
                "metrics": "metrics",
                "layout_metrics": "layout_metrics",
                "rank_metrics": "rank_metrics",
                "misplaced": "misplaced",
                "radius_metrics": "radius_metrics",
                "example": "params:reporting.example",
                "figure_disk": "figure_disk",
                "figure_loss": "figure_loss",
                "figure_norms": "figure_norms",
                "figure_radius": "figure_radius",
                "figure_quality": "figure_quality",
                "figure_separation": "figure_separation",
                "figure_purity": "figure_purity",
            },
            "report",
            name="write_report",
            tags="reporting",
        ),
    ]
