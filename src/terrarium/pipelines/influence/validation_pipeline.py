"""The pipeline influence_validation: compare influence with retraining. It shares the parameters of influence."""

from kedro.pipeline import Node, Pipeline

from terrarium.influence.validation.figures import datamodel_figure, deletion_figure
from terrarium.influence.validation.report import validation_page
from terrarium.influence.validation.tables import summarize
from terrarium.pipelines.influence import validation_nodes as nodes
from terrarium.pipelines.influence.pipeline import GRAPH, NAMESPACE

OPTIONS = {name: f"params:{name}" for name in ("validation", "attribution", "scoring", "evaluation")}
RESULTS = {name: name for name in ("datamodels", "deletions", "mislabelled")}


def create_validation_pipeline() -> Pipeline:
    """Build three studies by retraining, their metrics and a report."""
    inputs = {**GRAPH, **OPTIONS}
    figures = {name: name for name in ("figure_datamodels", "figure_deletions")}
    return Pipeline(
        [
            Node(nodes.score_datamodels, inputs, "datamodels", name="score_datamodels", tags="training"),
            Node(nodes.delete_proponents, inputs, "deletions", name="delete_proponents", tags="training"),
            Node(nodes.detect_mislabelled, inputs, "mislabelled", name="detect_mislabelled", tags="training"),
            Node(summarize, RESULTS, "metrics", name="summarize", tags="evaluation"),
            Node(datamodel_figure, "datamodels", "figure_datamodels", name="draw_datamodels", tags="reporting"),
            Node(deletion_figure, "deletions", "figure_deletions", name="draw_deletions", tags="reporting"),
            Node(validation_page, {**RESULTS, **figures}, "report", name="write_report", tags="reporting"),
        ],
        namespace=f"{NAMESPACE}.validation",
        inputs={name: f"knowledge_graph.{name}" for name in GRAPH},
        parameters={
            **{name: f"{NAMESPACE}.{name}" for name in ("validation", "attribution", "scoring")},
            "evaluation": "knowledge_graph.evaluation",
        },
    )
