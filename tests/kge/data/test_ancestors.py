import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from terrarium.kge.data.ancestors import find_ancestors

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
