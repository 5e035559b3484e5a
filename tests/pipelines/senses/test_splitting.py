import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.senses.data.relations import ANTONYM, RELATIONS
from terrarium.senses.data.splitting import LeakError, assert_no_leak, relation_rows, split_pairs, undirected

from .lexicon import tables

ROWS = st.lists(st.tuples(st.integers(0, 17), st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=80)


def frame(rows):
    return pd.DataFrame(rows, columns=["relation", "head", "tail"])


def split(pairs, seed=0):
    return split_pairs(pairs, shares=(0.2, 0.2), antonyms=(0.3, 0.3), synsets=31, seed=seed)


@given(ROWS, st.integers(0, 5))
def test_no_pair_of_ends_stands_in_two_parts(rows, seed):
    pairs = frame([*rows, *((r, t, h) for r, h, t in rows)])
    assert_no_leak(pairs.assign(part=split(pairs, seed)), 31)


@given(ROWS)
def test_the_split_follows_from_the_seed_alone(rows):
    pairs = frame(rows)
    assert (split(pairs) == split(pairs)).all()
    shuffled = pairs.sample(frac=1, random_state=1)
    assert (split(shuffled) == split(pairs)[shuffled.index]).all()


def test_shares_are_about_those_asked_for():
    rng = np.random.default_rng(0)
    pairs = frame(np.column_stack([np.zeros(20_000), rng.integers(0, 3000, (20_000, 2))]).astype(int))
    part = split_pairs(pairs, shares=(0.1, 0.2), antonyms=(0.3, 0.3), synsets=3000, seed=0)
    assert np.allclose(np.bincount(part) / len(part), [0.7, 0.1, 0.2], atol=0.02)
    opposed = split_pairs(pairs.assign(relation=ANTONYM), shares=(0.1, 0.2), antonyms=(0.3, 0.4), synsets=3000, seed=0)
    assert np.allclose(np.bincount(opposed) / len(part), [0.3, 0.3, 0.4], atol=0.02)


def test_a_leak_is_named():
    pairs = frame([(0, 3, 4), (1, 4, 3)]).assign(part=[0, 2])
    with pytest.raises(LeakError, match="such as rows 3 and 4"):
        assert_no_leak(pairs, 31)


def test_an_order_does_not_matter_to_a_pair():
    assert undirected(np.array([3]), np.array([9]), 10) == undirected(np.array([9]), np.array([3]), 10)


def test_every_part_has_antonyms_in_the_small_lexicon():
    for part in ("train", "validation", "test"):
        assert len(relation_rows(tables()["pairs"], "antonym", part)) > 0
    assert set(tables()["pairs"]["relation"]) <= set(range(len(RELATIONS)))
