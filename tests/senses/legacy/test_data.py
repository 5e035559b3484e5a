import itertools
import os

import pytest

from terrarium.senses.data.ingestion import read_lexicon
from terrarium.senses.data.relations import RELATIONS
from terrarium.senses.legacy.data import EDGE_RELATIONS, build_edges, build_items
from terrarium.senses.options import SourceOptions
from terrarium.sources.errors import SourceError
from terrarium.sources.wordnet import find_wordnet
from tests.senses.lexicon import tables


@pytest.fixture(scope="module")
def data():
    made = tables()
    items = build_items(made["synsets"], made["senses"])
    return items, build_edges(items, made["senses"], made["relations"])


@pytest.mark.slow
def test_wordnet_gives_naomi2s_counts():
    try:
        folder = find_wordnet()
    except SourceError as error:
        assert not os.environ.get("CI"), "WordNet is missing: .ci/run installs it"
        pytest.skip(str(error))
    lexicon = read_lexicon(SourceOptions(path=str(folder), relations=None, similarity={}))
    items = build_items(lexicon.synsets, lexicon.senses)
    edges = build_edges(items, lexicon.senses, lexicon.relations)
    counts = edges["relation"].value_counts()
    assert len(items) == 157_306
    assert len(edges) == 15_671_914
    assert counts[EDGE_RELATIONS.index("hypernym")] == counts[EDGE_RELATIONS.index("hyponym")] == 2_138_929
    assert counts[EDGE_RELATIONS.index("meronym")] == counts[EDGE_RELATIONS.index("holonym")] == 5_270_436
    assert counts[EDGE_RELATIONS.index("similar")] == 853_184
    assert EDGE_RELATIONS.index("antonym") not in counts


def test_edges_are_the_product_of_prefixes(data):
    items, edges = data
    made = tables()
    names = items["item"].tolist()
    first = made["senses"].drop_duplicates("synset_row").set_index("synset_row")["lemma"]
    expected = []
    taxonomic = made["relations"][made["relations"]["relation"] == RELATIONS.index("hypernym")]
    for head, tail in zip(taxonomic["head"], taxonomic["tail"], strict=True):
        ends = [[i for i, n in enumerate(names) if n.startswith(f"{first[row]}_")] for row in (head, tail)]
        expected += itertools.product(*ends)
    found = edges[edges["relation"] == EDGE_RELATIONS.index("hypernym")]
    assert sorted(zip(found["head"], found["tail"], strict=True)) == sorted(expected)
    mirrored = edges[edges["relation"] == EDGE_RELATIONS.index("hyponym")]
    assert sorted(zip(mirrored["tail"], mirrored["head"], strict=True)) == sorted(expected)


def test_without_relations_there_is_nothing_to_train_on(data):
    made = tables()
    with pytest.raises(SourceError, match="there are no edges"):
        build_edges(data[0], made["senses"], made["relations"][:0])
