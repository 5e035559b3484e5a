import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from terrarium.kge.data.leaks import MIN_OVERLAP, find_leaks

TRIPLES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 3), st.sampled_from(["train", "test", "left_out"])),
    max_size=25,
)


def table(rows):
    texts = [(f"e{head}", f"r{relation}", f"e{tail}", split) for head, relation, tail, split in rows]
    return pd.DataFrame(texts, columns=["head", "relation", "tail", "split"], dtype="str").astype("category")


def leaks_by_loops(rows):
    train = {row[:3] for row in rows if row[3] == "train"}

    def follows(relation, other, inverse):
        pairs = [(h, t) for h, r, t, split in rows if r == relation and split == "train"]
        also = [(t, other, h) in train if inverse else (h, other, t) in train for h, t in pairs]
        return bool(pairs) and np.mean(also) >= MIN_OVERLAP

    def leaks(h, r, t, split):
        return split == "test" and any(
            (inverse or other != r)
            and ((t, other, h) if inverse else (h, other, t)) in train
            and follows(r, other, inverse)
            for other in range(3)
            for inverse in (True, False)
        )

    return [leaks(*row) for row in rows]


@given(TRIPLES)
def test_leaks_are_those_of_the_definition(rows):
    rows = list(dict.fromkeys(rows))
    assert find_leaks(table(rows)).tolist() == leaks_by_loops(rows)


def test_the_reverse_of_a_symmetric_relation_leaks_and_that_of_a_one_way_relation_does_not():
    symmetric = [(a, 0, b, "train") for a, b in ((0, 1), (1, 0), (2, 3), (3, 2), (0, 2), (2, 0))]
    one_way = [(a, 1, b, "train") for a, b in ((0, 1), (1, 2), (2, 3), (0, 3))]
    rows = [*symmetric, (1, 3, 3, "train"), *one_way, (1, 0, 0, "test"), (1, 1, 0, "test")]
    assert find_leaks(table(rows)).tolist() == [False] * (len(rows) - 2) + [True, False]
