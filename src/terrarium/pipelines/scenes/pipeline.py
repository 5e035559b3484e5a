"""The scenes pipeline: ingestion, features, training, evaluation, reporting."""

from kedro.pipeline import Node, Pipeline

from terrarium.pipelines.scenes import nodes
from terrarium.scenes.reporting import exemplars, figures, report

NAMESPACE = "scenes"


def create_pipeline() -> Pipeline:
    """Build the pipeline; each node has the tag of its stage."""
    return Pipeline([*_ingestion(), *_features(), *_training(), *_evaluation(), *_reporting()], namespace=NAMESPACE)


def _by_name(*names: str) -> dict[str, str]:
    """Map arguments or results of a function to the datasets of the same names."""
    return {name: name for name in names}


def _parameters(*names: str) -> dict[str, str]:
    return {name: f"params:{name}" for name in names}


def _ingestion() -> list[Node]:
    return [
        Node(nodes.read_source, "params:source", _by_name("tracks", "lanes"), name="read_source", tags="ingestion"),
    ]


def _features() -> list[Node]:
    return [
        Node(
            nodes.build_graphs,
            ["tracks", "lanes", "params:features"],
            _by_name(
                "graphs", "graph_index", "archetypes", "tags", "criticality", "critical_pairs", "scene_criticality"
            ),
            name="build_graphs",
            tags="features",
        ),
    ]


def _training() -> list[Node]:
    return [
        Node(
            nodes.train,
            _by_name("graphs", "graph_index", "training_state") | _parameters("model", "training", "features"),
            _by_name("weights", "checkpoints", "history", "training_summary", "training_log"),
            name="train",
            tags="training",
        ),
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
            _by_name("graphs", "graph_index", "archetypes", "weights") | _parameters("evaluation"),
            _by_name("metrics", "representation_metrics", "archetype_metrics"),
            name="evaluate",
            tags="evaluation",
        ),
        Node(
            nodes.measure_coverage,
            _by_name("graphs", "graph_index", "weights", "embeddings", "archetypes", "tags", "criticality")
            | _parameters("evaluation", "source"),
            _by_name("coverage", "situations", "archetype_gaps", "deletion_test", "coverage_metrics"),
            name="measure_coverage",
            tags="evaluation",
        ),
    ]


def _reporting() -> list[Node]:
    return [
        Node(figures.training_figure, "history", "figure_training", name="draw_training", tags="reporting"),
        Node(figures.quality_figure, "representation_metrics", "figure_quality", name="draw_quality", tags="reporting"),
        Node(
            figures.archetype_figure, "archetype_metrics", "figure_archetypes", name="draw_archetypes", tags="reporting"
        ),
        Node(
            figures.map_figure,
            _by_name("embeddings") | _parameters("evaluation", "source", "reporting"),
            "figure_map",
            name="draw_map",
            tags="reporting",
        ),
        Node(figures.gap_figure, "archetype_gaps", "figure_gaps", name="draw_gaps", tags="reporting"),
        Node(
            exemplars.exemplar_figure,
            _by_name("graphs", "graph_index", "lanes", "coverage", "situations") | _parameters("reporting"),
            "figure_scenes",
            name="draw_exemplars",
            tags="reporting",
        ),
        Node(
            report.write_report,
            _by_name(
                "graph_index",
                "archetypes",
                "training_summary",
                "representation_metrics",
                "situations",
                "scene_criticality",
                "tags",
                "coverage_metrics",
                "archetype_gaps",
                "deletion_test",
                "figure_training",
                "figure_quality",
                "figure_archetypes",
                "figure_map",
                "figure_gaps",
                "figure_scenes",
            )
            | _parameters("evaluation", "source", "reporting"),
            "report",
            name="write_report",
            tags="reporting",
        ),
    ]
