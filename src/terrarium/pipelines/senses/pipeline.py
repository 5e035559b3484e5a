"""The senses pipeline: ingestion, features, training, evaluation, reporting."""

from collections.abc import Sequence

from kedro.pipeline import Node, Pipeline

from terrarium.pipelines.senses import nodes
from terrarium.senses.reporting import figures, report

NAMESPACE = "senses"
TRAINING_OUTPUTS = ("weights", "initial_weights", "checkpoints", "history", "training_summary")
EVALUATION_OUTPUTS = ("metrics", "variant_metrics", "relation_metrics", "axes")


def create_pipeline() -> Pipeline:
    """Return all stages; each node has the tag of its stage."""
    return Pipeline(
        [*data_nodes(), *_training_nodes(), *_evaluation_nodes(), *reporting_nodes()],
        namespace=NAMESPACE,
    )


def data_nodes() -> list[Node]:
    """Return the nodes of ingestion and features."""
    return [
        Node(
            nodes.read_source,
            {"source": "params:source"},
            by_name("synsets", "senses", "relations", "relation_counts", "word_pairs"),
            name="read_source",
            tags="ingestion",
        ),
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
            by_name("ancestors", "unseen_ancestors", "information_content"),
            name="build_ancestors",
            tags="features",
        ),
    ]


def reporting_nodes() -> list[Node]:
    """Return the nodes of figures and report."""
    return [
        Node(figures.loss_figure, "history", "figure_loss", name="draw_loss", tags="reporting"),
        Node(figures.growth_figure, "history", "figure_growth", name="draw_growth", tags="reporting"),
        Node(
            figures.similarity_figure, "variant_metrics", "figure_similarity", name="draw_similarity", tags="reporting"
        ),
        Node(figures.sparsity_figure, "variant_metrics", "figure_sparsity", name="draw_sparsity", tags="reporting"),
        Node(figures.relation_figure, "relation_metrics", "figure_relations", name="draw_relations", tags="reporting"),
        Node(
            report.report_page,
            by_name(
                "relation_counts",
                "training_summary",
                "history",
                *EVALUATION_OUTPUTS,
                "vectors",
                "figure_loss",
                "figure_growth",
                "figure_similarity",
                "figure_sparsity",
                "figure_relations",
                parameters=["reporting"],
            ),
            "report",
            name="write_report",
            tags="reporting",
        ),
    ]


def by_name(*datasets: str, parameters: Sequence[str] = ()) -> dict[str, str]:
    """Return inputs or outputs of a node whose function calls them by the names of the datasets and parameters."""
    return {**{name: name for name in datasets}, **{name: f"params:{name}" for name in parameters}}


def _training_nodes() -> list[Node]:
    return [
        Node(
            nodes.build_spectral,
            by_name("synsets", "senses", "pairs", parameters=["features", "model", "training"]),
            "spectral",
            name="build_spectral",
            tags="features",
        ),
        Node(
            nodes.train,
            by_name(
                "synsets",
                "senses",
                "pairs",
                "ancestors",
                "information_content",
                "spectral",
                "training_state",
                parameters=["model", "training"],
            ),
            by_name(*TRAINING_OUTPUTS),
            name="train",
            tags="training",
        ),
    ]


def _evaluation_nodes() -> list[Node]:
    return [
        Node(
            nodes.export_vectors,
            ["synsets", "senses", "pairs", "weights"],
            by_name("vectors", "synset_vectors", "operators"),
            name="export_vectors",
            tags="evaluation",
        ),
        Node(
            nodes.evaluate,
            by_name(
                "synsets",
                "senses",
                "pairs",
                "unseen_ancestors",
                "word_pairs",
                "weights",
                "initial_weights",
                parameters=["evaluation"],
            ),
            by_name(*EVALUATION_OUTPUTS),
            name="evaluate",
            tags="evaluation",
        ),
    ]
