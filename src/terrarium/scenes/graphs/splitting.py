"""Training, validation and test by scene."""

from __future__ import annotations

import numpy as np
import pandas as pd

from terrarium.scenes.options import FeatureOptions
from terrarium.training.torch.seeding import generator

SPLITS = ("train", "validation", "test")


class SplitError(ValueError):
    """A split that leaves a part empty or a scene in two parts."""


def split_scenes(index: pd.DataFrame, features: FeatureOptions) -> pd.DataFrame:
    """The table of graphs with the column part; every source is split by itself."""
    part = pd.Series("train", index=index.index, dtype="str")
    for source, rows in index.groupby("source", sort=True):
        if source in features.test_only_sources:
            part.loc[rows.index] = "test"
            continue
        scenes = np.sort(rows["scene"].unique())
        if len(scenes) < 3:
            raise SplitError(
                f"source {source!r} has {len(scenes)} scenes, and three parts need three: give more, or name it in "
                "scenes.features.test_only_sources"
            )
        shuffled = generator(features.seed, "split", str(source)).permutation(scenes)
        test = max(1, round(len(scenes) * features.test_fraction))
        validation = max(1, round(len(scenes) * features.val_fraction))
        part.loc[rows.index[rows["scene"].isin(shuffled[:test])]] = "test"
        part.loc[rows.index[rows["scene"].isin(shuffled[test : test + validation])]] = "validation"
    table = index.assign(split=part)
    assert_disjoint(table)
    return table


def assert_disjoint(table: pd.DataFrame) -> None:
    """Raise `SplitError` when a scene stands in two parts or a part is empty."""
    parts = table.groupby(["source", "scene"])["split"].nunique()
    if (parts > 1).any():
        raise SplitError(f"scene {parts.index[int(np.argmax(parts > 1))][1]} stands in two parts: split by scene")
    missing = [part for part in SPLITS if part not in set(table["split"])]
    if missing:
        raise SplitError(f"no graph is for {missing[0]}: give more scenes, or change the shares of scenes.features")
