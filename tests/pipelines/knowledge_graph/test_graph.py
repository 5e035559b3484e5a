import numpy as np
import pandas as pd
import pytest

from terrarium.kge.data.graph import Graph, codes, reciprocal

from .graphs import graph, random_graph, tables


def test_numbers_follow_the_tables_whatever_the_categories():
    triples, entities, relations = tables()
    made = Graph.of(triples, entities, relations)
    text = triples.astype({"head": "str", "relation": "str", "tail": "str"})
    again = Graph.of(text.sort_values("split", kind="stable", key=lambda s: s.astype(str)), entities, relations)
    for name, part in made.parts.items():
        assert np.array_equal(part, again.parts[name])
        rows = triples[triples["split"] == name]
        assert (entities["entity"].to_numpy()[part[:, 2]] == rows["tail"].astype(str)).all()


def test_a_name_without_a_row_is_an_error():
    with pytest.raises(ValueError, match="'z' stands in the triples"):
        codes(pd.Series(["a", "z"]), pd.Series(["a", "b"]))


def test_the_fingerprint_depends_on_splits():
    first, other = random_graph(), random_graph(1)
    assert first.fingerprint == random_graph().fingerprint != other.fingerprint
    moved = dict(first.parts, valid=first.parts["test"], test=first.parts["valid"])
    assert Graph(first.entities, first.relations, moved).fingerprint != first.fingerprint


def test_nothing_left_out_leaves_the_fingerprint_as_it_was():
    made = random_graph()
    with_part = {**made.parts, "left_out": made.parts["test"][:0]}
    assert Graph(made.entities, made.relations, with_part).fingerprint == made.fingerprint
    with_part["left_out"] = made.parts["test"][:1]
    assert Graph(made.entities, made.relations, with_part).fingerprint != made.fingerprint


def test_turned_round_twice_is_the_triple():
    triples = graph().parts["train"]
    again = reciprocal(reciprocal(triples, 3), 3)
    assert np.array_equal(again - [0, 6, 0], triples)


def test_entities_of_training_triples_are_seen():
    made = random_graph()
    assert set(np.flatnonzero(made.trained_entities)) == set(made.parts["train"][:, [0, 2]].ravel())
