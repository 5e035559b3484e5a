"""Do triples, tables, weights and checkpoints belong together?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from terrarium.influence.data.checkpoints import BEST, FINAL, WrongCheckpointsError
from terrarium.kge.data.graph import Graph
from terrarium.training.checkpointing.store import Checkpoint, read_checkpoint
from terrarium.training.torch.packing import unpack
from terrarium.training.checkpointing.state import State, StateError

ONE_RUN = "choose versions of one run with --load-versions=NAME:VERSION,..."


class WrongVersionsError(ValueError):
    """Tables of different runs."""


def graph_of(triples: pd.DataFrame, entities: pd.DataFrame, relations: pd.DataFrame) -> Graph:
    """The triples as numbers. WrongVersionsError for a name that its table lacks."""
    try:
        return Graph.from_tables(triples, entities, relations)
    except ValueError as error:
        raise WrongVersionsError(
            f"knowledge_graph.triples, entities and relations do not fit each other ({error}): {ONE_RUN}"
        ) from error


def require_same_model(weights: State, folder: Path) -> Checkpoint:
    """The checkpoint that the weights were exported from: the best, or the final one.

    Raises:
        WrongCheckpointsError: neither has the model and the numbers of the weights.
    """
    for path in (folder / BEST, folder / FINAL):
        if path.is_file():
            checkpoint = _read(path)
            if _are_those(weights, checkpoint):
                return checkpoint
    raise WrongCheckpointsError(
        "knowledge_graph.weights are neither the best nor the final state of knowledge_graph.checkpoints, so these "
        f"would explain what another model says: {ONE_RUN}"
    )


def _read(path: Path) -> Checkpoint:
    try:
        return read_checkpoint(path)
    except StateError as error:
        raise WrongCheckpointsError(f"a checkpoint cannot be read: {error}") from error


def _are_those(weights: State, checkpoint: Checkpoint) -> bool:
    if checkpoint.fingerprint.get("model") != weights.metadata.get("model"):
        return False
    held = unpack(checkpoint.state)["model"]
    if held.keys() != weights.tensors.keys():
        return False
    return all(np.array_equal(held[name].numpy(), array) for name, array in weights.tensors.items())
