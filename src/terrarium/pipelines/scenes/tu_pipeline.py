"""The pipeline scenes_tu: the family's encoder on graph classification sets of TU Dortmund."""

from kedro.pipeline import Node, Pipeline

from terrarium.pipelines.scenes.pipeline import NAMESPACE
from terrarium.scenes.tu import benchmark as tu


def create_tu_pipeline() -> Pipeline:
    """Read, train on all graphs without their classes, classify in folds."""
    own = [
        Node(tu.read_sets, "params:tu", "sets", name="read_sets", tags="ingestion"),
        Node(
            tu.train_sets,
            ["sets", "training_state", "params:tu", "params:model", "params:training"],
            ["embeddings", "history"],
            name="train_sets",
            tags="training",
        ),
        Node(
            tu.evaluate_sets,
            ["sets", "embeddings", "params:tu"],
            ["metrics", "accuracies"],
            name="evaluate_sets",
            tags="evaluation",
        ),
    ]
    names = ("tu", "model", "training")
    parameters = {f"params:{name}": f"params:{NAMESPACE}.{name}" for name in names}
    return Pipeline(own, namespace=f"{NAMESPACE}.tu", parameters=parameters)
