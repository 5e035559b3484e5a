import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.common.splits import SplitError
from terrarium.senses.data.relations import ANTONYM, RELATIONS
from terrarium.senses.data.splitting import SPLITS, Fractions, require_no_leak, select_pairs, split_pairs

from tests.senses.lexicon import tables

ROWS = st.lists(st.tuples(st.integers(0, 17), st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=80)


def frame(rows):
    return pd.DataFrame(rows, columns=["relation", "head", "tail"])


def draw_split(pairs, seed=0):
    return split_pairs(
        pairs, fractions=Fractions(0.2, 0.2), antonym_fractions=Fractions(0.3, 0.3), synsets=31, seed=seed
    )


@given(ROWS, st.integers(0, 5))
def test_no_pair_of_synsets_is_in_two_splits(rows, seed):
    pairs = frame([*rows, *((r, t, h) for r, h, t in rows)])
    require_no_leak(pairs.assign(split=draw_split(pairs, seed)), 31)


@given(ROWS)
def test_the_split_follows_from_the_seed_alone(rows):
    pairs = frame(rows)
    assert (draw_split(pairs) == draw_split(pairs)).all()
    shuffled = pairs.sample(frac=1, random_state=1)
    assert (draw_split(shuffled) == draw_split(pairs)[shuffled.index]).all()


def test_shares_are_about_those_asked_for():
    rng = np.random.default_rng(0)
    pairs = frame(np.column_stack([np.zeros(20_000), rng.integers(0, 3000, (20_000, 2))]).astype(int))
    given = {"fractions": Fractions(0.1, 0.2), "antonym_fractions": Fractions(0.3, 0.4), "synsets": 3000, "seed": 0}
    for table, expected in ((pairs, [0.7, 0.1, 0.2]), (pairs.assign(relation=ANTONYM), [0.3, 0.3, 0.4])):
        split = split_pairs(table, **given)
        assert np.allclose([(split == name).mean() for name in SPLITS], expected, atol=0.02)


def test_a_leak_is_named():
    pairs = frame([(0, 3, 4), (1, 4, 3)]).assign(split=["train", "test"])
    with pytest.raises(SplitError, match="such as rows 3 and 4"):
        require_no_leak(pairs, 31)


def test_every_part_has_antonyms_in_the_small_lexicon():
    for split in SPLITS:
        assert len(select_pairs(tables()["pairs"], "antonym", split)) > 0
    assert set(tables()["pairs"]["relation"]) <= set(range(len(RELATIONS)))
