import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.sources.taxonomies.numbering import are_integers, node_table, number_keys, number_nodes


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "20", "0"], True),
        (["1.0", "20.0"], True),
        (["1", "1.0"], False),
        (["01", "1"], False),
        (["2147483647"], True),
        (["2147483648"], False),
        (["-1"], False),
        (["\u0663"], False),
        (["1.5"], False),
    ],
)
def test_what_is_an_integer(cells, expected):
    assert are_integers(cells) == expected


@given(st.lists(st.text("GO:01", min_size=1, max_size=5), min_size=1, unique=True))
def test_different_keys_have_different_numbers(keys):
    numbers = number_keys(keys)
    assert len(set(numbers.values())) == len(keys)


def test_keys_of_one_prefix_keep_their_number():
    assert number_keys(["GO:0008150", "GO:0000003"]) == {"GO:0008150": 8150, "GO:0000003": 3}
    assert number_keys(["GO:1", "BFO:1"]) == {"GO:1": 0, "BFO:1": 1}


@given(st.lists(st.sampled_from(["a", "b", "c", "7"]), min_size=2, max_size=6))
def test_numbers_follow_the_texts(ids):
    parents = ["", *ids[:-1]]
    numbers, above, keys = number_nodes(ids, parents)
    text_of = dict(zip(numbers.tolist(), keys or ids, strict=True))
    assert [text_of.get(number, "") for number in above.tolist()] == parents


def test_a_node_with_a_key_is_called_by_it():
    table = node_table(np.array([0, 1]), np.array([-1, 0]), ["", "cat"], ["", "species"], ["k", "l"])
    assert table["name"].tolist() == ["k", "cat"]
    assert table["rank"].tolist() == ["no rank", "species"]
