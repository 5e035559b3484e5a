"""The dataset `run_config` (config.json): what is about to be trained."""

from __future__ import annotations

from typing import Any

from terrarium.kge.data.graph import TEST, TEST_GROUPS, TRAIN, VALIDATION, Graph
from terrarium.kge.options import ModelOptions, TrainingOptions
from terrarium.kge.training.precision import resolve_precision

HALF_PRECISIONS = {"16-mixed", "bf16-mixed"}


def run_config(graph: Graph, model: ModelOptions, training: TrainingOptions) -> dict[str, Any]:
    """Return the groups data, model, training and optimizations; sides of ConvE's images are filled in."""
    sizes = {f"{name}_triples": len(graph.splits[name]) for name in (TRAIN, VALIDATION, TEST, TEST_GROUPS)}
    model_group = model.model_dump(mode="json")
    if model.name == "conve":
        image = model.image()
        model_group |= {"embedding_height": image.height, "embedding_width": image.width}
    return {
        "data": {"entities": graph.num_entities, "relations": graph.num_relations, **sizes},
        "model": model_group,
        "training": training.model_dump(mode="json"),
        "optimizations": {
            "use_mixed_precision": resolve_precision(training.precision, training.device) in HALF_PRECISIONS,
            "use_gradient_checkpointing": training.memory.gradient_checkpointing,
            "enable_memory_cleanup": training.memory.cleanup,
        },
    }
