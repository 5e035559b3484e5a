"""NAOMI-II's trainer on the data of the senses pipeline, evaluated in the same way."""

from kedro.pipeline import Node, Pipeline

from terrarium.pipelines.senses import reference_nodes
from terrarium.pipelines.senses.pipeline import (
    EVALUATION_OUTPUTS,
    NAMESPACE,
    TRAINING_OUTPUTS,
    by_name,
    data_nodes,
    reporting_nodes,
)

_SHARED = ("synsets", "senses", "relations", "relation_counts", "word_pairs", "pairs", "unseen_ancestors")


def create_reference_pipeline() -> Pipeline:
    """Return ingestion and features of the family, and training, evaluation and reporting of the reference."""
    own = [*_own_nodes(), *reporting_nodes()]
    used = {dataset for node in own for dataset in node.inputs}
    reference = Pipeline(
        own,
        namespace=f"{NAMESPACE}.reference",
        inputs={name: f"{NAMESPACE}.{name}" for name in _SHARED if name in used},
        parameters={f"params:{name}": f"params:{NAMESPACE}.{name}" for name in ("evaluation", "reporting")},
    )
    return Pipeline(data_nodes(), namespace=NAMESPACE) + reference


def _own_nodes() -> list[Node]:
    return [
        Node(
            reference_nodes.build_edges,
            ["synsets", "senses", "relations"],
            by_name("items", "edges"),
            name="build_edges",
            tags="features",
        ),
        Node(
            reference_nodes.train,
            by_name("items", "edges", "training_state", parameters=["model", "training"]),
            by_name(*TRAINING_OUTPUTS),
            name="train",
            tags="training",
        ),
        Node(
            reference_nodes.export_vectors,
            ["items", "synsets", "senses", "weights"],
            "vectors",
            name="export_vectors",
            tags="evaluation",
        ),
        Node(
            reference_nodes.evaluate,
            by_name(
                "items",
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
