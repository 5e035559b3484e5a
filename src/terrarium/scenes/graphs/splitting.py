"""Training, validation and test by scene."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd

from terrarium.common.splits import SplitError, require_disjoint_splits
from terrarium.scenes.options import FeatureOptions
from terrarium.training.torch.seeding import generator

logger = logging.getLogger(__name__)
SPLITS = ("train", "validation", "test")


def split_scenes(index: pd.DataFrame, features: FeatureOptions) -> pd.DataFrame:
    """Return the table of graphs with the column split; the scenes of every source are split separately.

    A source with fewer than three scenes cannot be split: its scenes are all test scenes.

    Args:
        index: one row per graph, with the columns source and scene.
        features: fractions, test-only sources and seed.

    Raises:
        SplitError: a split is empty.
    """
    split = pd.Series("train", index=index.index, dtype="str")
    for source, rows in index.groupby("source", sort=True):
        scenes = np.sort(rows["scene"].unique())
        is_small = len(scenes) < len(SPLITS)
        if is_small:
            logger.warning("Source %s: %d scenes are too few to split; all are test scenes", source, len(scenes))
        if is_small or source in features.test_only_sources:
            split.loc[rows.index] = "test"
            continue
        shuffled = generator(features.seed, "split", str(source)).permutation(scenes)
        test = max(1, round(len(scenes) * features.test_fraction))
        validation = max(1, round(len(scenes) * features.val_fraction))
        split.loc[rows.index[rows["scene"].isin(shuffled[:test])]] = "test"
        split.loc[rows.index[rows["scene"].isin(shuffled[test : test + validation])]] = "validation"
    table = index.assign(split=split)
    require_valid_split(table)
    return table


def require_valid_split(index: pd.DataFrame) -> None:
    """Check that no scene is in two splits and that no split is empty.

    Raises:
        SplitError: a scene is in two splits, or a split is empty.
    """
    keys = index.groupby(["source", "scene"]).ngroup().to_numpy()
    scenes = index["scene"]
    require_disjoint_splits(keys, index["split"], "scenes", lambda row: str(scenes.iloc[row]))
    missing = [split for split in SPLITS if split not in set(index["split"])]
    if missing:
        raise SplitError(f"the {missing[0]} split is empty: give more scenes, or change scenes.features.*_fraction")
