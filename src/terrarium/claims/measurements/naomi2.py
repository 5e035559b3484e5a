"""Measurements of statements of "NAOMI-II"."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from terrarium.claims.measurements.measure import Family, Measured, named
from terrarium.common.splits import undirected_keys
from terrarium.senses.data.relations import Lexicon, build_lexicon
from terrarium.senses.legacy.data import build_edges, build_items
from terrarium.senses.legacy.options import ReferenceModelOptions, ReferenceTrainingOptions
from terrarium.senses.legacy.trainer import ReferenceTrainer
from terrarium.senses.models.sparsity import small_fraction
from terrarium.senses.training.batches import adapt_batch_size
from terrarium.sources.wordnet import find_wordnet, read_wordnet, sense_numbers
from terrarium.training.stopping import EarlyStopping, StoppingState
from terrarium.training.torch.seeding import generator

_ITEMS, _EDGES = 400, 1000
MILLION = 1_048_576
_TARGETS = {"hypernym": 0.3, "hyponym": 0.3, "meronym": 0.5, "holonym": 0.5, "similar": 0.2, "antonym": 1.0}


def _trainer(interval: int, expand_by: int, seed: int) -> ReferenceTrainer:
    """Return the trainer on a few random edges: its growth does not depend on them."""
    rng = np.random.default_rng(seed)
    items = pd.DataFrame({"item": [f"w{i}_wn.n_n" for i in range(_ITEMS)]})
    ends = {name: rng.integers(0, _ITEMS, _EDGES, dtype=np.int32) for name in ("head", "tail")}
    edges = pd.DataFrame({"relation": np.zeros(_EDGES, np.int8), **ends})
    growth = {
        **{"enabled": True, "max_dim": 512, "expand_interval": interval, "expand_by": expand_by},
        **{"activity_threshold": 1e-6, "saturation_threshold": 0.3, "new_column_std": 0.001},
    }
    training = ReferenceTrainingOptions.model_validate(
        {
            **{"targets": _TARGETS, "sparsity_weight": 0.01, "val_fraction": 0.1, "batch_size": MILLION},
            **{"adaptive_batch_size": True, "learning_rate": 0.01, "clip_norm": 1.0, "growth": growth},
            **{"max_epochs": 100, "memory_limit_gb": None, "seed": seed},
            "stopping": {"patience": 5, "min_delta": 1e-4, "metric": "validation_loss", "direction": "min"},
            "checkpoints": {"keep_last": 2, "keep_every": 0, "retrain": False},
        }
    )
    return ReferenceTrainer(items, edges, ReferenceModelOptions(dim=128, init_std=0.01, seed=seed), training)


def _epochs_to_512(interval: int, expand_by: int, seed: int, most: int = 300) -> int:
    trainer = _trainer(interval, expand_by, seed)
    for epoch in range(1, most + 1):
        trainer.epoch(epoch)
        if trainer.weights().tensors["items"].shape[1] == 512:
            return epoch
    return most


def epochs_to_512_aggressive(seed: int) -> Measured:
    """Return the epoch after which the table has 512 dimensions with 64 more at each second epoch."""
    return Measured([_epochs_to_512(2, 64, seed)], " epochs")


def epochs_to_512_conservative(seed: int) -> Measured:
    """Return the same with 32 more at each fifth epoch."""
    return Measured([_epochs_to_512(5, 32, seed)], " epochs")


def epochs_to_512_before(seed: int) -> Measured:
    """Return the same with 16 more at each tenth epoch, the rule before the improvements."""
    return Measured([_epochs_to_512(10, 16, seed)], " epochs")


def batch_at_256(_seed: int) -> Measured:
    """Return the batch size after growth from 128 to 256 dimensions."""
    return Measured([adapt_batch_size(MILLION, 128, 256)], " edges")


def batch_at_512(_seed: int) -> Measured:
    """Return the batch size after growth from 128 to 512 dimensions."""
    return Measured([adapt_batch_size(MILLION, 128, 512)], " edges")


def batch_at_192(_seed: int) -> Measured:
    """Return the batch size after growth from 128 to 192 dimensions."""
    return Measured([adapt_batch_size(MILLION, 128, 192)], " edges")


def smallest_batch(_seed: int) -> Measured:
    """Return the smallest batch size that growth leads to, from one million."""
    return Measured([min(adapt_batch_size(MILLION, 128, dim) for dim in range(128, 32_768, 64))], " edges")


def state_growth(_seed: int) -> Measured:
    """Return by what the memory of table, gradient and moments grows from 128 to 512 dimensions."""
    return Measured([512 / 128], " times")


def initial_sparsity(seed: int) -> Measured:
    """Return the percentage of entries below 0.01 in the table before training."""
    shares = [100.0 * small_fraction(_initial(seed + i, 0.01)) for i in range(5)]
    return Measured(shares, " %")


def new_column_sparsity(seed: int) -> Measured:
    """Return the percentage of entries below 0.01 in columns that growth has just added."""
    return Measured([100.0 * small_fraction(_initial(seed + i, 0.001)) for i in range(5)], " %")


def initial_saturation(seed: int) -> Measured:
    """Return the percentage of columns that count as saturated before training."""
    density = (np.abs(_initial(seed, 0.01)) > 1e-6).mean(axis=0)
    return Measured([100.0 * (density >= 0.3).mean()], " %")


def new_column_saturation(seed: int) -> Measured:
    """Return the percentage of new columns that count as saturated before they are trained."""
    density = (np.abs(_initial(seed, 0.001)) > 1e-6).mean(axis=0)
    return Measured([100.0 * (density >= 0.3).mean()], " %")


def epochs_until_stop(_seed: int) -> Measured:
    """Return the epoch at which patience 5 stops a loss that has not improved since epoch 10."""
    stopping, state = EarlyStopping(5, 1e-4), StoppingState()
    for epoch in range(1, 100):
        state = stopping.update(state, epoch, 1.0 / min(epoch, 10))
        if stopping.should_stop(state):
            return Measured([epoch], " epochs")
    return Measured([0.0], " epochs")


def small_gain_counts(_seed: int) -> Measured:
    """Return 1 if a gain of 0.00005 resets the patience with min-delta 0.0001, else 0."""
    stopping = EarlyStopping(5, 1e-4)
    state = stopping.update(StoppingState(), 1, 0.001)
    return Measured([float(stopping.update(state, 2, 0.00095).waited == 0)])


def validation_leak(seed: int) -> Measured:
    """Return the percentage of validation edges whose pair of words is in the training edges too."""
    edges = _edges()
    order = generator(seed, "documented split").permutation(len(edges))
    held_out = int(0.1 * len(edges))
    keys = undirected_keys(
        edges["head"].to_numpy(), edges["tail"].to_numpy(), int(edges[["head", "tail"]].max().max()) + 1
    )
    trained = np.unique(keys[order[held_out:]])
    tested = keys[order[:held_out]]
    place = np.minimum(np.searchsorted(trained, tested), len(trained) - 1)
    return Measured([100.0 * np.mean(trained[place] == tested)], " %")


def _initial(seed: int, std: float) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal((4000, 128)) * std).astype(np.float32)


@cache
def _lexicon() -> Lexicon:
    folder = find_wordnet(None)
    wordnet = read_wordnet(folder)
    return build_lexicon(wordnet, sense_numbers(folder, "nvar", wordnet.senses))


@cache
def _edges() -> pd.DataFrame:
    lexicon = _lexicon()
    return build_edges(build_items(lexicon.synsets, lexicon.senses), lexicon.senses, lexicon.relations)


MEASUREMENTS = Family(
    small=named(
        epochs_to_512_aggressive,
        epochs_to_512_conservative,
        epochs_to_512_before,
        batch_at_192,
        batch_at_256,
        batch_at_512,
        smallest_batch,
        state_growth,
        initial_sparsity,
        new_column_sparsity,
        initial_saturation,
        new_column_saturation,
        epochs_until_stop,
        small_gain_counts,
    ),
    large=named(validation_leak),
)
