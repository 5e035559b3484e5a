"""What the encoder is trained on: the graphs as features, and which of them are training and validation graphs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from terrarium.scenes.graphs.columns import fingerprint, from_state, scene_numbers
from terrarium.scenes.graphs.features import fit_encoding
from terrarium.scenes.graphs.views import EncodedGraphs, encode_graphs
from terrarium.scenes.graphs.weisfeiler_lehman import context_classes
from terrarium.scenes.models.graphlets import GraphletCounter, fit_counter
from terrarium.scenes.options import FeatureOptions
from terrarium.training.checkpointing.state import State


@dataclass(frozen=True, eq=False)
class Problem:
    """Graphs to train on.

    Attributes:
        graphs: all graphs.
        scene: number of each graph's scene (g,).
        next_row: row of the same component one second later, or -1 (g,).
        train, validation: rows of graphs; without validation graphs nothing is validated.
        metadata: what the weights carry in addition to the model's options.
        contexts: number of context classes; 0 where none are predicted.
        counter: of graphlets, fitted on the training graphs; None for graphs that are no scenes.
    """

    graphs: EncodedGraphs
    scene: np.ndarray
    next_row: np.ndarray
    train: np.ndarray
    validation: np.ndarray
    metadata: dict[str, Any]
    contexts: int = 0
    counter: GraphletCounter | None = None

    @property
    def widths(self) -> tuple[int, int]:
        """Number of features of a node and of an edge."""
        return self.graphs.x.shape[1], self.graphs.edge_x.shape[1]


def scene_problem(state: State, index: pd.DataFrame, features: FeatureOptions) -> Problem:
    """Encode the graphs of scenes; statistics and context classes come from the training graphs alone.

    Args:
        state: graphs in columns.
        index: their table, with the columns source, scene, split and next_row.
        features: encoding.
    """
    graphs, split = from_state(state), index["split"].to_numpy()
    train, validation = (np.flatnonzero(split == name) for name in ("train", "validation"))
    encoding = fit_encoding(
        graphs, train, standardize=features.standardize, relation_encoding=features.relation_encoding
    )
    contexts = context_classes(graphs, train)
    return Problem(
        graphs=encode_graphs(graphs, encoding, contexts.labels),
        scene=scene_numbers(index),
        next_row=index["next_row"].to_numpy(np.int64),
        train=train,
        validation=validation,
        metadata={
            "encoding": encoding.as_json(),
            "graph_options": features.graphs.model_dump(mode="json"),
            "graphs": fingerprint(state, index),
        },
        contexts=contexts.num_classes,
        counter=fit_counter(graphs, train),
    )
