import os

import numpy as np
import pandas as pd
import pytest

from terrarium.senses.data.ingestion import read_lexicon
from terrarium.senses.data.relations import WORDNET_3_COUNTS, INVERSES, RELATIONS, Lexicon, add_table, count_differences
from terrarium.senses.options import SourceOptions
from terrarium.sources.errors import SourceError
from terrarium.sources.wordnet import find_wordnet

from tests.senses.lexicon import WORDNET, tables


def lexicon():
    made = tables()
    return Lexicon(made["synsets"], made["senses"], made["relations"], made["relation_counts"])


def source(path):
    return SourceOptions(path=str(path), relations=None, similarity={})


@pytest.fixture(scope="module")
def wordnet():
    try:
        folder = find_wordnet()
    except SourceError as error:
        assert not os.environ.get("CI"), "WordNet is missing: .ci/run installs it"
        pytest.skip(str(error))
    return read_lexicon(source(folder))


@pytest.mark.slow
def test_wordnet_has_the_synsets_senses_and_antonyms_of_version_3(wordnet):
    assert count_differences(wordnet) == {}
    assert len(wordnet.synsets) == WORDNET_3_COUNTS["synsets"] == 117_659
    assert len(wordnet.senses) == WORDNET_3_COUNTS["senses"] == 206_949
    counts = wordnet.counts.set_index("relation")
    assert counts.loc["antonym"].tolist() == [7_979, 3_992]
    assert counts.loc["hypernym", "pairs"] == counts.loc["hyponym", "instances"] == 89_089
    assert counts.loc["instance_hypernym", "pairs"] == 8_577
    assert wordnet.synsets["synset"].is_unique
    assert wordnet.senses["sense_key"].is_unique
    assert {"dog.n.01", "hot.a.01", "run.v.01"} <= set(wordnet.synsets["synset"])


def test_inverses_are_one_pair_and_keep_their_direction():
    relations, synsets = tables()["relations"], tables()["synsets"]["synset"].to_numpy()
    taxonomic = relations[relations["relation"] == RELATIONS.index("hypernym")]
    named = set(zip(synsets[taxonomic["head"]], synsets[taxonomic["tail"]], strict=True))
    assert ("dog.n.01", "mammal.n.01") in named
    assert ("mammal.n.01", "dog.n.01") not in named
    part = relations[relations["relation"] == RELATIONS.index("part_holonym")]
    assert ("wheel.n.01", "car.n.01") in set(zip(synsets[part["head"]], synsets[part["tail"]], strict=True))
    assert not set(INVERSES) & set(RELATIONS)


def test_pairs_are_distinct_and_symmetric_ones_in_one_order():
    relations = tables()["relations"]
    assert not relations.duplicated().any()
    antonyms = relations[relations["relation"] == RELATIONS.index("antonym")]
    assert (antonyms["head"] <= antonyms["tail"]).all()


def test_a_sense_has_an_offset_when_it_shares_its_synset_and_has_a_relation():
    senses = tables()["senses"].set_index("lemma")
    assert senses.loc["happiness", "offset_row"] >= len(tables()["synsets"])
    assert senses.loc["virtue", "offset_row"] == -1
    assert senses.loc["hot", "offset_row"] == -1
    own = tables()["senses"]["offset_row"]
    assert sorted(own[own >= 0]) == list(range(len(tables()["synsets"]), len(tables()["synsets"]) + (own >= 0).sum()))


def test_another_version_is_counted_not_refused(caplog):
    caplog.set_level("WARNING")
    read_lexicon(source(WORDNET))
    assert "145 synsets, and WordNet 3.0 has 117659" in caplog.text


def test_a_wordnet_without_antonyms_is_refused(tmp_path):
    for file in WORDNET.iterdir():
        (tmp_path / file.name).write_text(file.read_text().replace("! ", "^ "))
    with pytest.raises(SourceError, match="no antonyms"):
        read_lexicon(source(tmp_path))


def test_a_relation_that_leads_nowhere_is_named(tmp_path):
    for file in WORDNET.iterdir():
        (tmp_path / file.name).write_text(file.read_text().replace("& 00007900 a", "& 00999900 a"))
    with pytest.raises(SourceError, match="00007800 has a pointer to 00999900"):
        read_lexicon(source(tmp_path))


def test_further_relations_are_added_by_name():
    table = pd.DataFrame({"head": ["dog.n.01"], "relation": ["also_see"], "tail": ["cat%1:05:00::"]})
    grown = add_table(lexicon(), table, "mine.csv")
    assert len(grown.relations) == len(tables()["relations"]) + 1
    added = grown.counts.set_index("relation")["pairs"] - tables()["relation_counts"].set_index("relation")["pairs"]
    assert added["also_see"] == 1


def test_unknown_names_are_told():
    def table(**changes):
        return pd.DataFrame({"head": ["dog.n.01"], "relation": ["antonym"], "tail": ["cat.n.01"]} | changes)

    with pytest.raises(SourceError, match=r"unknown relations loves: choose from also_see, antonym"):
        add_table(lexicon(), table(relation=["loves"]), "mine.csv")
    with pytest.raises(SourceError, match=r"1 unknown senses, such as 'unicorn\.n\.01'"):
        add_table(lexicon(), table(head=["unicorn.n.01"]), "mine.csv")
    with pytest.raises(SourceError, match="lacks the columns tail"):
        add_table(lexicon(), table().drop(columns="tail"), "mine.csv")


def test_forms_of_a_word_that_differ_in_case_are_one_sense(tmp_path):
    """Their sense keys are equal, and their relations are those of the one sense."""
    for file in WORDNET.iterdir():
        text = file.read_text()
        if file.name == "data.noun":
            assert "02 joy 0 happiness 0 " in text
            text = text.replace("02 joy 0 happiness 0 ", "03 joy 0 happiness 0 Happiness 0 ")
        (tmp_path / file.name).write_text(text)
    merged = read_lexicon(source(tmp_path))
    assert merged.senses["sense_key"].is_unique
    assert merged.senses["sense_key"].tolist() == tables()["senses"]["sense_key"].tolist()
    assert merged.relations.equals(tables()["relations"])


def test_the_senses_of_a_word_are_numbered_as_in_its_index():
    senses = tables()["senses"]
    words = senses.groupby(["lemma", "pos"])["sense_number"]
    assert words.apply(lambda own: sorted(own) == list(range(1, len(own) + 1))).all()
    named = senses[senses["sense_key"].str.partition("%")[0] == senses["synset"].str.partition(".")[0]]
    number = named["synset"].str.rpartition(".")[2].astype(int)
    assert (number == named["sense_number"]).all()


def test_sense_rows_point_to_their_synsets():
    senses, synsets = tables()["senses"], tables()["synsets"]
    assert (synsets["synset"].to_numpy()[senses["synset_row"]] == senses["synset"]).all()
    assert np.array_equal(senses["pos"].replace("s", "a"), synsets["pos"].to_numpy()[senses["synset_row"]])
