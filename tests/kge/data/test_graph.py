import numpy as np
import pandas as pd
import pytest

from terrarium.kge.data.graph import Graph, encode_names, invert_triples

from tests.kge.graphs import graph, random_graph, tables


def test_numbers_follow_the_tables_whatever_the_categories():
    triples, entities, relations = tables()
    made = Graph.from_tables(triples, entities, relations)
    text = triples.astype({"head": "str", "relation": "str", "tail": "str"})
    again = Graph.from_tables(
        text.sort_values("split", kind="stable", key=lambda s: s.astype(str)), entities, relations
    )
    for name, part in made.splits.items():
        assert np.array_equal(part, again.splits[name])
        rows = triples[triples["split"] == name]
        assert (entities["entity"].to_numpy()[part[:, 2]] == rows["tail"].astype(str)).all()


def test_a_name_without_a_row_is_an_error():
    with pytest.raises(ValueError, match="'z' is in the triples"):
        encode_names(pd.Series(["a", "z"]), pd.Series(["a", "b"]))


def test_the_fingerprint_depends_on_splits():
    first, other = random_graph(), random_graph(1)
    assert first.fingerprint == random_graph().fingerprint != other.fingerprint
    moved = dict(first.splits, validation=first.splits["test"], test=first.splits["validation"])
    assert Graph(first.num_entities, first.num_relations, moved).fingerprint != first.fingerprint


def test_nothing_left_out_leaves_the_fingerprint_as_it_was():
    made = random_graph()
    with_part = {**made.splits, "left_out": made.splits["test"][:0]}
    assert Graph(made.num_entities, made.num_relations, with_part).fingerprint == made.fingerprint
    with_part["left_out"] = made.splits["test"][:1]
    assert Graph(made.num_entities, made.num_relations, with_part).fingerprint != made.fingerprint


def test_turned_round_twice_is_the_triple():
    triples = graph().splits["train"]
    again = invert_triples(invert_triples(triples, 3), 3)
    assert np.array_equal(again - [0, 6, 0], triples)


def test_entities_of_training_triples_are_seen():
    made = random_graph()
    assert set(np.flatnonzero(made.entities_in_training)) == set(made.splits["train"][:, [0, 2]].ravel())
