import numpy as np
import pandas as pd
import pytest

from terrarium.common.splits import SplitError
from terrarium.scenes.graphs.splitting import SPLITS, require_valid_split, split_scenes
from tests.scenes.scenery import options, tables


def test_each_scene_is_in_one_split_and_no_split_is_empty():
    index = tables()["index"]
    assert index.groupby("scene")["split"].nunique().eq(1).all()
    assert set(index["split"]) == set(SPLITS)
    wrong = index.assign(split=np.where(np.arange(len(index)) % 2, "train", "test"))
    with pytest.raises(SplitError, match="scenes are in two splits, such as "):
        require_valid_split(wrong)
    with pytest.raises(SplitError, match="the validation split is empty"):
        require_valid_split(index.assign(split="train"))


def test_a_source_can_be_for_the_test_alone_and_needs_three_scenes_otherwise():
    index = tables()["index"]
    two = index[index["scene"].isin(sorted(set(index["scene"]))[:2])].assign(source="few")
    both = pd.concat([index, two], ignore_index=True)
    with pytest.raises(SplitError, match="source 'few' has 2 scenes"):
        split_scenes(both, options().features)
    split = split_scenes(both, options().features.model_copy(update={"test_only_sources": ["few"]}))
    assert split.loc[split["source"] == "few", "split"].eq("test").all()
