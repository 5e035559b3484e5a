import pandas as pd
import pytest

from terrarium.influence.data.named_graph import NamedGraph, triple_text
from terrarium.training.checkpointing.fingerprints import MismatchedArtifactsError
from tests.kge.graphs import tables


def test_names_and_numbers_are_inverse():
    named = NamedGraph.of(*tables())
    train = named.graph.splits["train"]
    table = named.name(train)
    assert (named.encode(table) == train).all()
    first = table.iloc[0]
    assert triple_text(first) == f"{first['head_name']} {first['relation_name']} {first['tail_name']}"
    assert triple_text(table.add_prefix("train_").iloc[0], "train_") == triple_text(first)


def test_tables_of_different_runs_are_refused():
    triples, entities, relations = tables()
    with pytest.raises(MismatchedArtifactsError, match="--load-versions"):
        NamedGraph.of(triples, entities.iloc[1:], relations)


def test_ids_of_another_graph_are_refused():
    named = NamedGraph.of(*tables())
    unknown = pd.DataFrame({"head": ["nobody"], "relation": ["lives_in"], "tail": ["p01"]})
    with pytest.raises(MismatchedArtifactsError, match="nobody"):
        named.encode(unknown)
