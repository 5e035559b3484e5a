"""Weights and checkpoints must come from the same training: what is explained has to be what predicted."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from terrarium.influence.data.checkpoints import BEST, FINAL, complete_weights, open_checkpoint
from terrarium.influence.data.named_graph import LOAD_ONE_RUN
from terrarium.training.checkpointing.fingerprints import MismatchedArtifactsError
from terrarium.training.checkpointing.state import State
from terrarium.training.checkpointing.checkpoint import Checkpoint
from terrarium.training.torch.packing import unpack


def require_same_model(weights: State, folder: Path) -> Checkpoint:
    """Return the checkpoint that the weights were exported from: the best, or the final one.

    Args:
        weights: `knowledge_graph.weights`.
        folder: `knowledge_graph.checkpoints`.

    Raises:
        MismatchedArtifactsError: neither has the model options and the numbers of the weights.
        CheckpointError: a checkpoint is damaged.
    """
    for path in (folder / BEST, folder / FINAL):
        if path.is_file():
            checkpoint = open_checkpoint(path)
            if _has_weights(checkpoint, weights):
                return checkpoint
    raise MismatchedArtifactsError(
        "knowledge_graph.weights are neither the best nor the final state of knowledge_graph.checkpoints, so these "
        f"would explain predictions of another model: {LOAD_ONE_RUN}"
    )


def _has_weights(checkpoint: Checkpoint, weights: State) -> bool:
    if checkpoint.fingerprint.get("model") != weights.metadata.get("model"):
        return False
    model = unpack(checkpoint.state)["model"]
    tensors = complete_weights(model, int(weights.metadata["entities"]))
    if tensors.keys() != weights.tensors.keys():
        return False
    return all(
        np.array_equal(tensors[name].numpy(), array)
        or (tensors[name] is not model[name] and np.allclose(tensors[name].numpy(), array, rtol=1e-5, atol=1e-6))
        for name, array in weights.tensors.items()
    )
