"""The pipeline that learns hosts, traits or annotations in the space of the taxa.

It reads the taxa, edges and weights of the pipeline `hyperbolic`.
"""

from kedro.pipeline import Node, Pipeline

from terrarium.hyperbolic.reporting.figures import association_figure
from terrarium.pipelines.hyperbolic import association_nodes
from terrarium.pipelines.hyperbolic.pipeline import NAMESPACE


def create_association_pipeline() -> Pipeline:
    """Read typed links, learn points for their targets, and rank held-out links."""
    nodes = [
        Node(
            association_nodes.read_associations,
            ["all_taxa", "all_edges", "params:source", "params:associations"],
            "links",
            name="read_associations",
            tags="ingestion",
        ),
        Node(
            association_nodes.fit_associations,
            ["all_taxa", "all_edges", "all_weights", "links", "params:associations"],
            {name: name for name in ("weights", "targets", "predictions", "metrics", "layout_metrics")},
            name="fit_associations",
            tags=["training", "evaluation"],
        ),
        Node(association_figure, "layout_metrics", "figure_associations", name="draw_associations", tags="reporting"),
    ]
    return Pipeline(
        nodes,
        namespace=f"{NAMESPACE}.associations",
        inputs={f"all_{name}": f"{NAMESPACE}.{name}" for name in ("taxa", "edges", "weights")},
        parameters={f"params:{name}": f"params:{NAMESPACE}.{name}" for name in ("source", "associations")},
    )
