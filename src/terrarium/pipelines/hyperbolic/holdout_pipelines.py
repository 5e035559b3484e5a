"""Pipelines that train once more with something held out, and predict it: taxa, or links.

They read the taxa and edges that the pipeline `hyperbolic` has ingested, and share its parameters.
"""

from kedro.pipeline import Node, Pipeline

from terrarium.hyperbolic.reporting.figures import link_figure, placement_figure
from terrarium.pipelines.hyperbolic import holdout_nodes
from terrarium.pipelines.hyperbolic.pipeline import LOSS, NAMESPACE, build_closure, compute_target_radii, training

_WHOLE = {
    f"all_{name}": f"{NAMESPACE}.{name}" for name in ("taxa", "edges", "depths", "constructed_layout", "source_info")
}


def create_placement_pipeline() -> Pipeline:
    """Hold out leaves and clades, train on the rest, and predict their parents from a few noisy relatives."""
    own = [
        Node(
            holdout_nodes.hold_out_taxa,
            ["all_taxa", "all_edges", "params:holdout"],
            {name: name for name in ("taxa", "edges", "held_out")},
            name="hold_out_taxa",
            tags="ingestion",
        ),
        build_closure(),
        compute_target_radii(),
        *training(source_info="all_source_info"),
        Node(
            holdout_nodes.place_taxa,
            {
                "taxa": "taxa",
                "edges": "edges",
                "constructed": "constructed_layout",
                "weights": "weights",
                "held_out": "held_out",
                "model": "params:model",
                "holdout": "params:holdout",
                "loss": LOSS,
            },
            {name: name for name in ("metrics", "layout_metrics", "placements")},
            name="place_taxa",
            tags="evaluation",
        ),
        Node(placement_figure, "layout_metrics", "figure_placement", name="draw_placement", tags="reporting"),
    ]
    return _in_namespace("placement", own)


def create_links_pipeline() -> Pipeline:
    """Hold out pairs of ancestor and descendant, train on the rest, and tell them from false pairs."""
    own = [
        Node(
            holdout_nodes.hold_out_links,
            ["all_edges", "params:source", "params:holdout"],
            {name: name for name in ("closure", "link_pairs")},
            name="hold_out_links",
            tags="ingestion",
        ),
        *training("all_edges", "all_depths", "all_constructed_layout", "all_source_info"),
        Node(
            holdout_nodes.classify_links,
            {
                "edges": "all_edges",
                "constructed": "all_constructed_layout",
                "weights": "weights",
                "closure": "closure",
                "link_pairs": "link_pairs",
                "model": "params:model",
                "loss": LOSS,
            },
            {name: name for name in ("metrics", "layout_metrics")},
            name="classify_links",
            tags="evaluation",
        ),
        Node(link_figure, "layout_metrics", "figure_links", name="draw_links", tags="reporting"),
    ]
    return _in_namespace("links", own)


def _in_namespace(name: str, own: list[Node]) -> Pipeline:
    """Put nodes under a namespace inside the family's; its taxa, edges, depths and parameters keep their names."""
    inputs = {dataset for node in own for dataset in node.inputs}
    return Pipeline(
        own,
        namespace=f"{NAMESPACE}.{name}",
        inputs={dataset: whole for dataset, whole in _WHOLE.items() if dataset in inputs},
        parameters={
            parameter: parameter.replace("params:", f"params:{NAMESPACE}.")
            for parameter in inputs
            if parameter.startswith("params:")
        },
    )
