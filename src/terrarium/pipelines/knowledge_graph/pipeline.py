"""The pipeline knowledge_graph: ingestion, features, training, evaluation, reporting."""

from collections.abc import Iterable

from kedro.pipeline import Node, Pipeline

from terrarium.kge.reporting import figures, report
from terrarium.pipelines.knowledge_graph import nodes

NAMESPACE = "knowledge_graph"
GRAPH = ["triples", "entities", "relations"]


def create_pipeline() -> Pipeline:
    """Return all stages; each node has the tag of its stage."""
    return Pipeline(
        [*_ingestion(), *_features(), *_training(), *_evaluation(), *_reporting()],
        namespace=NAMESPACE,
    )


def _ingestion() -> list[Node]:
    return [
        Node(
            nodes.read_source,
            "params:source",
            _same_names(["source_triples", "entities", "relations", "source_counts"]),
            name="read_source",
            tags="ingestion",
        )
    ]


def _features() -> list[Node]:
    return [
        Node(
            nodes.split_triples,
            ["source_triples", "entities", "relations", "params:features"],
            _same_names(["triples", "split_counts"]),
            name="split_triples",
            tags="features",
        )
    ]


def _training() -> list[Node]:
    options = {name: f"params:{name}" for name in ("model", "training", "evaluation")}
    return [
        Node(
            nodes.write_config,
            {**_same_names(GRAPH), **options},
            "run_config",
            name="write_config",
            tags="training",
        ),
        Node(
            nodes.choose_n3_weight,
            {**_same_names([*GRAPH, "run_config"]), **options},
            "n3_search",
            name="choose_n3_weight",
            tags="training",
        ),
        Node(
            nodes.train,
            {**_same_names([*GRAPH, "run_config", "n3_search", "training_state"]), **options},
            _same_names(["weights", "checkpoints", "history", "training_summary"]),
            name="train",
            tags="training",
        ),
    ]


def _evaluation() -> list[Node]:
    inputs = {**_same_names([*GRAPH, "weights"]), "evaluation": "params:evaluation"}
    return [
        Node(
            nodes.evaluate,
            inputs,
            _same_names(["metrics", "relation_metrics", "method_metrics", "ranks"]),
            name="evaluate",
            tags="evaluation",
        ),
        Node(
            nodes.calibrate,
            inputs,
            _same_names(["calibration", "reliability"]),
            name="calibrate",
            tags="evaluation",
        ),
        Node(
            nodes.predict,
            {**inputs, "calibration": "calibration"},
            "predictions",
            name="predict",
            tags="evaluation",
        ),
    ]


def _reporting() -> list[Node]:
    tables = ["source_counts", "split_counts", "n3_search", "training_summary", "history", "metrics"]
    tables += ["relation_metrics", "method_metrics", "predictions", "calibration"]
    drawn = ["figure_loss", "figure_validation", "figure_relations", "figure_methods", "figure_reliability"]
    return [
        Node(figures.loss_figure, "history", "figure_loss", name="draw_loss", tags="reporting"),
        Node(figures.validation_figure, "history", "figure_validation", name="draw_validation", tags="reporting"),
        Node(
            figures.relation_figure,
            ["relation_metrics", "params:reporting"],
            "figure_relations",
            name="draw_relations",
            tags="reporting",
        ),
        Node(figures.method_figure, "method_metrics", "figure_methods", name="draw_methods", tags="reporting"),
        Node(
            figures.reliability_figure,
            "reliability",
            "figure_reliability",
            name="draw_reliability",
            tags="reporting",
        ),
        Node(
            report.report_page,
            {**_same_names([*tables, *drawn]), "reporting": "params:reporting"},
            "report",
            name="write_report",
            tags="reporting",
        ),
    ]


def _same_names(names: Iterable[str]) -> dict[str, str]:
    """Map arguments or outputs of a function to the datasets of the same names."""
    return {name: name for name in names}
