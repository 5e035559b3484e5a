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


@pytest.mark.parametrize("count", [1, 2, 3, 10, 1000])
def test_splits_fit_the_number_of_scenes(count):
    """A source is in all splits from three scenes on; fewer are test scenes, as is a source named for the test."""
    few = pd.DataFrame({"source": "few", "scene": [f"few/{i}" for i in range(count)]})
    both = pd.concat([tables()["index"][["source", "scene"]], few], ignore_index=True)
    split = split_scenes(both, options().features)
    found = split[split["source"] == "few"].drop_duplicates("scene")["split"].value_counts()
    assert found.sum() == count
    assert set(found.index) == (set(SPLITS) if count >= 3 else {"test"})
    assert count < 10 or abs(found["test"] / count - options().features.test_fraction) <= 0.1
    named = split_scenes(both, options().features.model_copy(update={"test_only_sources": ["few"]}))
    assert named.loc[named["source"] == "few", "split"].eq("test").all()


def test_a_few_scenes_alone_cannot_be_split():
    with pytest.raises(SplitError, match="the train split is empty: give more scenes"):
        split_scenes(pd.DataFrame({"source": "few", "scene": ["few/1", "few/2"]}), options().features)
