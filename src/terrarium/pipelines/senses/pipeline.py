"""The senses pipeline: ingestion, features, training, evaluation, reporting."""

from kedro.pipeline import Node, Pipeline

from terrarium.pipelines.senses import nodes
from terrarium.pipelines.senses import reporting_nodes as presentation

NAMESPACE = "senses"
FIGURES = ("figure_loss", "figure_growth", "figure_similarity", "figure_sparsity", "figure_relations")


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
            ["synsets", "senses", "relations", "relation_counts", "word_pairs"],
            name="read_source",
            tags="ingestion",
        )
    ]


def _features() -> list[Node]:
    return [
        Node(
            nodes.split_relations,
            ["relations", "synsets", "params:features"],
            "pairs",
            name="split_relations",
            tags="features",
        ),
        Node(
            nodes.build_ancestors,
            ["pairs", "synsets"],
            ["ancestors", "unseen_ancestors", "information"],
            name="build_ancestors",
            tags="features",
        ),
        Node(
            nodes.build_edges,
            ["synsets", "senses", "relations", "params:features"],
            ["documented_items", "documented_edges"],
            name="build_edges",
            tags="features",
        ),
    ]


def _training() -> list[Node]:
    return [
        Node(
            nodes.train,
            [
                "synsets",
                "senses",
                "pairs",
                "ancestors",
                "information",
                "documented_items",
                "documented_edges",
                "training_state",
                "params:model",
                "params:training",
                "params:features",
            ],
            ["weights", "checkpoints", "history", "training_summary"],
            name="train",
            tags="training",
        )
    ]


def _evaluation() -> list[Node]:
    return [
        Node(
            nodes.export_vectors,
            ["synsets", "senses", "pairs", "documented_items", "weights"],
            "vectors",
            name="export_vectors",
            tags="evaluation",
        ),
        Node(
            nodes.evaluate,
            [
                "synsets",
                "senses",
                "pairs",
                "unseen_ancestors",
                "word_pairs",
                "documented_items",
                "weights",
                "params:evaluation",
            ],
            ["metrics", "variant_metrics", "relation_metrics", "axes"],
            name="evaluate",
            tags="evaluation",
        ),
    ]


def _reporting() -> list[Node]:
    return [
        Node(
            presentation.draw_training,
            "history",
            ["figure_loss", "figure_growth"],
            name="draw_training",
            tags="reporting",
        ),
        Node(
            presentation.draw_quality,
            ["variant_metrics", "relation_metrics"],
            ["figure_similarity", "figure_sparsity", "figure_relations"],
            name="draw_quality",
            tags="reporting",
        ),
        Node(
            presentation.write_report,
            [
                "relation_counts",
                "training_summary",
                "history",
                "metrics",
                "variant_metrics",
                "relation_metrics",
                "axes",
                "vectors",
                "params:reporting",
                *FIGURES,
            ],
            "report",
            name="write_report",
            tags="reporting",
        ),
    ]
