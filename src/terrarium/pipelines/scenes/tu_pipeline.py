"""The pipeline scenes_tu: the encoder on graph classification data sets of TU Dortmund."""

from kedro.pipeline import Node, Pipeline

from terrarium.pipelines.scenes.pipeline import NAMESPACE
from terrarium.scenes.tu import benchmark


def create_tu_pipeline() -> Pipeline:
    """Build the pipeline: read, train on all graphs without their classes, classify in folds."""
    nodes = [
        Node(benchmark.read_sets, "params:tu", "sets", name="read_sets", tags="ingestion"),
        Node(
            benchmark.train_sets,
            ["sets", "training_state", "params:tu", "params:model", "params:training"],
            {"embeddings": "embeddings", "history": "history"},
            name="train_sets",
            tags="training",
        ),
        Node(
            benchmark.evaluate_sets,
            ["sets", "embeddings", "params:tu"],
            {"metrics": "metrics", "accuracies": "accuracies"},
            name="evaluate_sets",
            tags="evaluation",
        ),
    ]
    parameters = {f"params:{name}": f"params:{NAMESPACE}.{name}" for name in ("tu", "model", "training")}
    return Pipeline(nodes, namespace=f"{NAMESPACE}.tu", parameters=parameters)
