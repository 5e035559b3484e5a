import numpy as np
import pandas as pd
import pytest

from terrarium.scenes.coverage import detectors
from terrarium.scenes.coverage.combination import Combination
from terrarium.scenes.coverage.deletion_test import COLUMNS, random_splits, run_deletion_test

NAMES = ("region", "anywhere", "nowhere")
SCENE = np.arange(1000) % 50


def labels():
    """The first archetype is a region of its own, the second one is anywhere."""
    table = np.zeros((1000, len(NAMES)), bool)
    table[:, 0] = np.random.default_rng(1).random(1000) < 0.2
    table[:, 1] = np.random.default_rng(5).random(1000) < 0.3
    return pd.DataFrame(table, columns=list(NAMES))


def vectors():
    away = 5.0 * labels().to_numpy()[:, :1] * np.array([1.0, 0.0, 0.0])
    return np.random.default_rng(4).normal(size=(1000, 3)) + away


def patterns():
    others = np.random.default_rng(6).random((1000, 2)) < 0.4
    return np.column_stack([np.ones(1000), labels()["region"], others]).astype(float)


@pytest.mark.parametrize(
    "detector",
    [
        detectors.GraphClassifier(vectors(), 1.0),
        detectors.NeighborDistance(vectors(), 5),
        detectors.NodeClassifier(np.repeat(vectors(), 2, axis=0), np.repeat(np.arange(1000), 2), 1.0),
        detectors.PatternNovelty(detectors.sparse.csr_array(patterns())),
        Combination(
            [
                detectors.PatternNovelty(detectors.sparse.csr_array(patterns())),
                detectors.GraphClassifier(vectors(), 1.0),
            ],
            seed=0,
        ),
    ],
    ids=["embedding", "neighbours", "road users", "patterns", "combination"],
)
def test_a_deleted_region_is_found_again_and_chance_finds_its_share(detector):
    splits = random_splits(labels(), SCENE, 4, 10, np.random.default_rng(0))
    found = run_deletion_test({("it", "this"): detector}, splits, 0.05, 0.05, 10).set_index("archetype")
    assert list(found.index) == list(NAMES[:2])
    assert found.loc[NAMES[0], "recall"] > 0.95
    assert found.loc[NAMES[0], "label_free_recall"] > 0.95
    assert 0.0 <= found.loc[NAMES[0], "label_free_fpr"] < 0.3
    assert found.loc[NAMES[1], "recall"] == pytest.approx(0.05, abs=0.05)
    assert found.loc[NAMES[1], "auc"] == pytest.approx(0.5, abs=0.06)


def test_nothing_to_ask_for_is_an_empty_table():
    none = random_splits(labels().head(40) & False, np.arange(40), 2, 5, np.random.default_rng(0))
    found = run_deletion_test({("it", "this"): detectors.NeighborDistance(vectors()[:40], 3)}, none, 0.05, 0.05, 5)
    assert found.empty
    assert set(COLUMNS) <= set(found.columns)
