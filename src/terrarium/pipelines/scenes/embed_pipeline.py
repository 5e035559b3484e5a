"""The pipeline scenes_embed: new scenes among those that the encoder was trained on."""

from kedro.pipeline import Node, Pipeline

from terrarium.pipelines.scenes import embed_nodes
from terrarium.pipelines.scenes.pipeline import NAMESPACE
from terrarium.scenes.reporting import new_scenes_report


def create_embed_pipeline() -> Pipeline:
    """Build the pipeline: read new scenes, embed them with trained weights, and compare them with the known scenes."""
    nodes = [
        Node(
            embed_nodes.read_source,
            "params:embed",
            {"tracks": "tracks", "lanes": "lanes"},
            name="read_source",
            tags="ingestion",
        ),
        Node(
            embed_nodes.export_embeddings,
            ["tracks", "lanes", "weights"],
            {name: name for name in ("graphs", "graph_index", "embeddings")},
            name="export_embeddings",
            tags="evaluation",
        ),
        Node(
            embed_nodes.compare,
            {"embeddings": "embeddings", "known": "known", "embed": "params:embed"},
            {"nearest": "nearest", "novelty": "novelty"},
            name="compare",
            tags="evaluation",
        ),
        Node(
            new_scenes_report.novelty_figure,
            ["graphs", "graph_index", "lanes", "novelty", "params:reporting"],
            "figure_scenes",
            name="draw_scenes",
            tags="reporting",
        ),
        Node(
            new_scenes_report.write_report,
            ["novelty", "nearest", "figure_scenes", "params:embed"],
            "report",
            name="write_report",
            tags="reporting",
        ),
    ]
    return Pipeline(
        nodes,
        namespace=f"{NAMESPACE}.embed",
        inputs={"weights": f"{NAMESPACE}.weights", "known": f"{NAMESPACE}.embeddings"},
        parameters={f"params:{name}": f"params:{NAMESPACE}.{name}" for name in ("embed", "reporting")},
    )
