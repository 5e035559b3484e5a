"""The pipeline influence_validation: what retraining says of influence. It shares the parameters of influence."""

from kedro.pipeline import Node, Pipeline

from terrarium.pipelines.influence import validation_nodes as nodes
from terrarium.pipelines.influence.pipeline import GRAPH, NAMESPACE

NAME = f"{NAMESPACE}.validation"
READ = [*GRAPH, "checkpoints", "params:training", "params:features", "params:evaluation", "params:ranking"]
RESULTS = ["datamodels", "deletions", "wrong"]
FIGURES = ["figure_datamodels", "figure_deletions"]


def create_validation_pipeline() -> Pipeline:
    """Three studies by retraining, their numbers, and a page."""
    own = [
        Node(nodes.score_datamodels, READ, "datamodels", name="score_datamodels", tags="training"),
        Node(nodes.delete_triples, READ, "deletions", name="delete_triples", tags="training"),
        Node(nodes.find_wrong_triples, READ, "wrong", name="find_wrong_triples", tags="training"),
        Node(nodes.summarise, RESULTS, "metrics", name="summarise", tags="evaluation"),
        Node(nodes.draw_validation, RESULTS[:2], FIGURES, name="draw_validation", tags="reporting"),
        Node(nodes.write_validation, [*RESULTS, *FIGURES], "report", name="write_validation", tags="reporting"),
    ]
    return Pipeline(
        own,
        namespace=NAME,
        inputs={name: f"knowledge_graph.{name}" for name in (*GRAPH, "checkpoints")},
        parameters={
            **{name: f"{NAMESPACE}.{name}" for name in ("training", "features", "evaluation")},
            "ranking": "knowledge_graph.evaluation",
        },
    )
