"""The training problem of scenes: their graphs as numbers, and which of them are trained on."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from terrarium.scenes.graphs.columns import fingerprint, from_state
from terrarium.scenes.graphs.features import NODE_WIDTH, encode, fit_encoding
from terrarium.scenes.graphs.weisfeiler_lehman import contexts
from terrarium.scenes.options import FeatureOptions
from terrarium.scenes.training.augmentations import plain_view
from terrarium.scenes.training.trainer import Problem
from terrarium.training.checkpointing.state import State


def scene_problem(graphs: State, index: pd.DataFrame, features: FeatureOptions) -> Problem:
    """Statistics come from the training part alone; weights carry them, and what they belong to."""
    columns, part = from_state(graphs), index["split"].to_numpy()
    train, validation = (np.flatnonzero(part == name) for name in ("train", "validation"))
    encoding = fit_encoding(
        columns, train, standardize=features.standardize, relation_encoding=features.relation_encoding
    )
    context, classes = contexts(columns, train)
    return Problem(
        view=partial(plain_view, columns, *encode(columns, encoding), context=context),
        widths=(NODE_WIDTH, encoding.edge_width),
        scene=pd.factorize(index["source"] + "/" + index["scene"])[0],
        later=index["next_row"].to_numpy(np.int64),
        train=train,
        validation=validation,
        metadata={"encoding": encoding.as_json(), "graphs": fingerprint(graphs, index)},
        contexts=classes,
    )
