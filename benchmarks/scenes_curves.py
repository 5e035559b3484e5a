"""Quality of an encoder over the epochs, the same for every recipe: top-1 between two views that never change."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from terrarium.scenes.evaluation.probes import cross_view_top_1
from terrarium.scenes.graphs.columns import Graphs, from_state
from terrarium.scenes.graphs.features import Encoding
from terrarium.scenes.graphs.views import View, encode_graphs
from terrarium.scenes.models.embedding import embed_view, random_weights
from terrarium.scenes.options import AugmentationOptions
from terrarium.scenes.training.augmentations import augment_view
from terrarium.training.checkpointing.checkpoint import read_checkpoint
from terrarium.training.checkpointing.state import State, read_state
from terrarium.training.torch.seeding import generator

GALLERY = 500
"""At most this many graphs of each split are searched for a view; as many training as validation graphs."""
_ENCODER = "model.encoder."


@dataclass(frozen=True)
class Curve:
    """Top-1 on validation and training graphs, without dropout: one value per stored epoch.

    Attributes:
        epochs: numbers of the epochs; 0 is the untrained encoder.
        validation, training: fraction of graphs whose second view is the nearest to the first.
    """

    epochs: list[int]
    validation: list[float]
    training: list[float]

    @property
    def gap(self) -> float:
        """Training minus validation at the end."""
        return self.training[-1] - self.validation[-1]

    def reached(self, value: float) -> int:
        """Return the first epoch whose top-1 on validation graphs is at least `value`, or the last epoch."""
        pairs = list(zip(self.epochs, self.validation, strict=True))[1:]
        return next((epoch for epoch, top_1 in pairs if top_1 >= value), self.epochs[-1])


def measure_curve(folder: str, views: AugmentationOptions, seed: int) -> Curve:
    """Measure a run that stored its checkpoints; galleries and views depend on seed and graphs alone."""
    graphs = from_state(read_state(_newest(folder, "graphs.safetensors")))
    index = pd.read_parquet(_newest(folder, "graph_index.parquet"))
    weights = read_state(_newest(folder, "weights.safetensors"))
    parts = {part: np.flatnonzero(index["split"] == part) for part in ("validation", "train")}
    count = min(GALLERY, *(len(rows) for rows in parts.values()))
    pairs = [
        _pair(graphs, weights, generator(seed, "gallery", part).permutation(rows)[:count], views, seed)
        for part, rows in parts.items()
    ]
    norms = generator(seed, "norms").permutation(parts["train"])[:1024]
    states = {0: random_weights(weights, graphs, norms, int(weights.metadata["model"]["seed"]))}
    states |= {epoch: _weights(path, weights) for epoch, path in _kept(folder)}
    found = [[_top_1(state, pair) for pair in pairs] for state in states.values()]
    return Curve(list(states), [row[0] for row in found], [row[1] for row in found])


def _pair(graphs: Graphs, weights: State, rows: np.ndarray, views: AugmentationOptions, seed: int) -> tuple[View, View]:
    plain = encode_graphs(graphs, Encoding(**weights.metadata["encoding"])).view(rows)
    rng = generator(seed, "curve")
    return augment_view(plain, views, rng), augment_view(plain, views, rng)


def _top_1(weights: State, pair: tuple[View, View]) -> float:
    return cross_view_top_1(*(embed_view(weights, view) for view in pair))


def _newest(folder: str, name: str) -> Path:
    """Return the last version of an artifact: a recipe builds graphs in addition to the shared ones."""
    return max(path for path in Path(folder).rglob(name) if path.is_file())


def _kept(folder: str) -> list[tuple[int, Path]]:
    """Return epochs and files, in the order of the epochs."""
    files = {path.name: path for path in Path(folder).rglob("epoch_*.safetensors")}
    return [(int(name[6:12]), path) for name, path in sorted(files.items())]


def _weights(path: Path, like: State) -> State:
    """Return weights with the encoder of a checkpoint; what is not trained, such as graphlets, stays."""
    tensors = read_checkpoint(path).state.tensors
    encoder = {name.removeprefix(_ENCODER): tensors[name] for name in tensors if name.startswith(_ENCODER)}
    return State({name: encoder.get(name, tensor) for name, tensor in like.tensors.items()}, like.metadata)
