import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.kge.data.ancestors import find_ancestors, find_parts, find_words
from terrarium.kge.data.graph import Graph
from tests.kge.graphs import options

EDGES = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=14)


def walk(edges, start):
    """Every node above `start`, by walking up one edge at a time."""
    found, to_do = set(), [start]
    while to_do:
        node = to_do.pop()
        for parent in {tail for head, tail in edges if head == node} - found:
            found.add(parent)
            to_do.append(parent)
    return found - {start}


@given(EDGES)
def test_ancestors_are_what_a_walk_upwards_meets_in_any_graph(edges):
    triples = np.array([(head, 1, tail) for head, tail in edges], np.int64).reshape(-1, 3)
    found = find_ancestors(triples, 1, 8)
    pairs = list(zip(found.entity.tolist(), found.ancestor.tolist(), strict=True))
    assert pairs == sorted((node, above) for node in range(8) for above in walk(edges, node))


def test_other_relations_do_not_count():
    assert len(find_ancestors(np.array([[0, 0, 1], [1, 2, 2]]), 1, 3).entity) == 0


def test_words_are_those_that_two_names_share_whatever_their_case():
    names = pd.Series(["Tomato mosaic virus", "tomato TOMATO a1", "Rat virus", "solo"])
    found = find_words(names, 4)
    assert list(zip(*(column.tolist() for column in found), strict=True)) == [(0, 4), (0, 5), (1, 4), (2, 5)]


@pytest.mark.parametrize(
    ("encoder", "expected"),
    [
        ("lookup", None),
        ("ancestors", {(0, 1)}),
        ("words", {(0, 2), (1, 2)}),
        ("ancestors_and_words", {(0, 1), (0, 2), (1, 2)}),
        (None, {(0, 1), (0, 2), (1, 2)}),
    ],
)
def test_an_encoder_sums_what_it_names(encoder, expected):
    graph = Graph(2, 1, {"train": np.array([[0, 0, 1]])}, 0, pd.Series(["one thing", "other thing"]))
    found = find_parts(graph, options().model.model_copy(update={"entity_encoder": encoder}))
    pairs = None if found is None else set(zip(*(column.tolist() for column in found), strict=True))
    assert pairs == expected
