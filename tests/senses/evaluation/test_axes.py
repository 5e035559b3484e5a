import numpy as np
import pandas as pd

from terrarium.senses.data.relations import RELATIONS, Lexicon
from terrarium.senses.evaluation.axes import axes_metrics, find_axes
from terrarium.senses.models.vectors import SenseVectors, unit_rows


def test_an_axis_that_parts_its_pairs_is_found_beyond_random_directions():
    rng = np.random.default_rng(0)
    count, dim = 60, 24
    base = 2 * rng.standard_normal((count, dim)).astype(np.float32)
    first, second = base.copy(), base.copy()
    first[:, 0], second[:, 1] = 4, 4
    first[:, 5], second[:, 5] = 4, -4
    rows = unit_rows(np.concatenate([first, second]))
    senses = pd.DataFrame({"lemma": [f"w{i}" for i in range(2 * count)]})
    pairs = pd.DataFrame(
        {
            "relation": RELATIONS.index("antonym"),
            "split": np.repeat(["train", "test"], [40, count - 40]),
            "head_sense": np.arange(count),
            "tail_sense": np.arange(count) + count,
        }
    )
    words = Lexicon(pd.DataFrame(), senses, pairs, pd.DataFrame())
    vectors = SenseVectors(rows, rows, None, np.zeros(dim, bool))
    axes = find_axes(vectors, words, min_pairs=5, num_directions=200, rng=np.random.default_rng(0))
    assert axes["dimension"].tolist() == ["x5", "x5"]
    assert axes["test"].tolist() == ["test", "query_half"]
    assert axes["pairs"].tolist() == [20, 20]
    assert axes["agreement"].tolist() == [1, 1]
    assert (axes["null_95"] < 1).all()
    numbers = axes_metrics(axes)
    assert numbers["axes"] == numbers["axes_beyond_null"] == numbers["axes_held_out_beyond_null"] == 1
    assert numbers["axes_agreement"] == 1
    noise = SenseVectors(
        *[unit_rows(rng.standard_normal((2 * count, dim)).astype(np.float32))] * 2, None, np.zeros(dim, bool)
    )
    null = find_axes(noise, words, min_pairs=2, num_directions=50, rng=np.random.default_rng(0))
    assert (null["agreement"] > null["null_95"]).mean() < 0.5
