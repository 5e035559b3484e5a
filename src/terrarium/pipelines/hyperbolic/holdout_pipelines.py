"""Pipelines that train once more with something kept out, and look for it: taxa, or links.

They read the taxa and edges that the pipeline hyperbolic has ingested, and share its parameters.
"""

from kedro.pipeline import Node, Pipeline

from terrarium.pipelines.hyperbolic import holdout_nodes as withheld_nodes
from terrarium.pipelines.hyperbolic import nodes
from terrarium.pipelines.hyperbolic.pipeline import NAMESPACE

_WHOLE = {f"all_{name}": f"{NAMESPACE}.{name}" for name in ("taxa", "edges", "depths")}
_TRAINED = ["weights", "checkpoints", "history", "training_summary"]


def create_placement_pipeline() -> Pipeline:
    """Withheld leaves and clades are placed from their siblings."""
    own = [
        Node(
            withheld_nodes.withhold_taxa,
            ["all_taxa", "all_edges", "params:holdout"],
            ["taxa", "edges", "withheld"],
            name="withhold_taxa",
            tags="ingestion",
        ),
        Node(
            nodes.build_closure,
            ["edges", "params:source"],
            "closure",
            name="build_closure",
            tags="ingestion",
        ),
        Node(
            nodes.compute_target_radii,
            ["taxa", "params:features"],
            "depths",
            name="compute_target_radii",
            tags="features",
        ),
        *_training("edges", "depths"),
        Node(
            withheld_nodes.place_withheld,
            [
                *("taxa", "edges", "depths", "weights", "withheld"),
                *("params:model", "params:holdout"),
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
    return _in_namespace("placement", own)


def create_links_pipeline() -> Pipeline:
    """Withheld links are told from false ones."""
    own = [
        Node(
            withheld_nodes.withhold_links,
            ["all_edges", "params:source", "params:holdout"],
            ["closure", "link_pairs"],
            name="withhold_links",
            tags="ingestion",
        ),
        *_training("all_edges", "all_depths"),
        Node(
            withheld_nodes.classify_links,
            ["all_edges", "all_depths", "weights", "closure", "link_pairs", "params:model"],
            ["metrics", "layout_metrics"],
            name="classify_links",
            tags="evaluation",
        ),
        Node(withheld_nodes.draw_links, "layout_metrics", "figure_links", name="draw_links", tags="reporting"),
    ]
    return _in_namespace("links", own)


def _training(edges: str, depths: str) -> list[Node]:
    return [
        Node(
            nodes.initialise,
            [edges, depths, "params:model", "params:training.loss.name"],
            "initial_weights",
            name="initialise",
            tags="training",
        ),
        Node(
            nodes.train,
            [
                *(edges, "closure", depths, "initial_weights", "training_state"),
                *("params:model", "params:training"),
            ],
            _TRAINED,
            name="train",
            tags="training",
        ),
    ]


def _in_namespace(name: str, own: list[Node]) -> Pipeline:
    """The nodes under a namespace inside the family's; its taxa, edges, depths and parameters keep their names."""
    taken = {dataset for node in own for dataset in node.inputs}
    return Pipeline(
        own,
        namespace=f"{NAMESPACE}.{name}",
        inputs={dataset: whole for dataset, whole in _WHOLE.items() if dataset in taken},
        parameters={
            parameter: parameter.replace("params:", f"params:{NAMESPACE}.")
            for parameter in taken
            if parameter.startswith("params:")
        },
    )
