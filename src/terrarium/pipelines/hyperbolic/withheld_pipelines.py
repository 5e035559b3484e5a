"""Pipelines that train once more with something kept out, and look for it: taxa, or links.

They read the taxa and edges that the pipeline hyperbolic has ingested, and share its parameters.
"""

from kedro.pipeline import Node, Pipeline

from terrarium.pipelines.hyperbolic import nodes, withheld_nodes

_TRAINED = ["weights", "checkpoints", "history", "training_summary"]


def create_placement_pipeline() -> Pipeline:
    """Withheld leaves and clades are placed from their siblings."""
    own = [
        Node(
            withheld_nodes.withhold_taxa,
            ["hyperbolic.taxa", "hyperbolic.edges", "params:hyperbolic.withheld"],
            ["taxa", "edges", "withheld"],
            name="withhold_taxa",
            tags="ingestion",
        ),
        Node(
            nodes.build_closure,
            ["edges", "params:hyperbolic.source"],
            "closure",
            name="build_closure",
            tags="ingestion",
        ),
        Node(
            nodes.compute_target_radii,
            ["taxa", "params:hyperbolic.features"],
            "depths",
            name="compute_target_radii",
            tags="features",
        ),
        *_training("edges", "depths"),
        Node(
            withheld_nodes.place_withheld,
            [
                *("taxa", "edges", "depths", "weights", "withheld"),
                *("params:hyperbolic.model", "params:hyperbolic.withheld"),
            ],
            ["metrics", "layout_metrics", "placements"],
            name="place_withheld",
            tags="evaluation",
        ),
        Node(
            withheld_nodes.draw_placement,
            "layout_metrics",
            "figure_placement",
            name="draw_placement",
            tags="reporting",
        ),
    ]
    return _in_namespace("hyperbolic_placement", own)


def create_links_pipeline() -> Pipeline:
    """Withheld links are told from false ones."""
    own = [
        Node(
            withheld_nodes.withhold_links,
            ["hyperbolic.edges", "params:hyperbolic.withheld"],
            ["closure", "link_pairs"],
            name="withhold_links",
            tags="ingestion",
        ),
        *_training("hyperbolic.edges", "hyperbolic.depths"),
        Node(
            withheld_nodes.classify_links,
            ["hyperbolic.edges", "hyperbolic.depths", "weights", "closure", "link_pairs", "params:hyperbolic.model"],
            ["metrics", "layout_metrics"],
            name="classify_links",
            tags="evaluation",
        ),
        Node(withheld_nodes.draw_links, "layout_metrics", "figure_links", name="draw_links", tags="reporting"),
    ]
    return _in_namespace("hyperbolic_links", own)


def _training(edges: str, depths: str) -> list[Node]:
    return [
        Node(
            nodes.initialise,
            [edges, depths, "params:hyperbolic.model", "params:hyperbolic.training.objective"],
            "initial_weights",
            name="initialise",
            tags="training",
        ),
        Node(
            nodes.train,
            [
                *(edges, "closure", depths, "initial_weights", "training_state"),
                *("params:hyperbolic.model", "params:hyperbolic.training"),
            ],
            _TRAINED,
            name="train",
            tags="training",
        ),
    ]


def _in_namespace(name: str, own: list[Node]) -> Pipeline:
    """The nodes under a namespace of their own; what belongs to the family keeps its name."""
    shared = {taken for node in own for taken in node.inputs if "hyperbolic." in taken}
    return Pipeline(
        own,
        namespace=name,
        inputs={taken for taken in shared if not taken.startswith("params:")},
        parameters={taken for taken in shared if taken.startswith("params:")},
    )
