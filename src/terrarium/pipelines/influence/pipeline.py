"""The influence pipeline: which training triples caused the predictions of a knowledge graph run."""

from kedro.pipeline import Node, Pipeline

from terrarium.influence.reporting.figures import first_query_figures
from terrarium.influence.reporting.report import report_page
from terrarium.pipelines.influence import nodes

NAMESPACE = "influence"
GRAPH = {"triples": "triples", "entities": "entities", "relations": "relations", "checkpoints": "checkpoints"}


def create_pipeline() -> Pipeline:
    """Build all stages; each node has the tag of its stage."""
    return Pipeline(
        [
            Node(
                nodes.select_queries,
                {**GRAPH, "weights": "weights", "options": "params:queries"},
                "queries",
                name="select_queries",
                tags="ingestion",
            ),
            Node(
                nodes.list_checkpoints,
                {**GRAPH, "options": "params:checkpoints"},
                "checkpoint_table",
                name="list_checkpoints",
                tags="features",
            ),
            Node(
                nodes.score,
                {
                    **GRAPH,
                    "queries": "queries",
                    "selection": "params:checkpoints",
                    "attribution": "params:attribution",
                    "scoring": "params:scoring",
                    "paths": "params:paths",
                    "evaluation": "params:evaluation",
                },
                {name: name for name in ("scores", "self_influence", "paths", "metrics")},
                name="score",
                tags="evaluation",
            ),
            Node(
                nodes.write_reference_files,
                ["scores", "triples", "checkpoint_table", "params:attribution"],
                {"json": "scores_json", "csv": "scores_csv"},
                name="write_reference_files",
                tags="evaluation",
            ),
            Node(
                first_query_figures,
                ["scores", "params:reporting"],
                {"graph": "figure_graph", "scores": "figure_scores"},
                name="draw_figures",
                tags="reporting",
            ),
            Node(
                report_page,
                {
                    **{
                        name: name
                        for name in ("checkpoint_table", "metrics", "queries", "scores", "self_influence", "paths")
                    },
                    "attribution": "params:attribution",
                    "reporting": "params:reporting",
                },
                "report",
                name="write_report",
                tags="reporting",
            ),
        ],
        namespace=NAMESPACE,
        inputs={name: f"knowledge_graph.{name}" for name in (*GRAPH, "weights")},
        parameters={"evaluation": "knowledge_graph.evaluation"},
    )
