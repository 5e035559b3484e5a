import pandas as pd
import pytest

from terrarium.hyperbolic.data.select import select_clade, select_lowest_ids
from terrarium.sources.errors import SourceError


@pytest.fixture
def taxa():
    return pd.DataFrame(
        {
            "id": [1, 2, 3, 4, 5],
            "parent": [-1, 1, 1, 2, 2],
            "name": ["life", "cats", "dogs", "0111", "twin"],
        }
    )


@pytest.fixture
def terms():
    return pd.DataFrame(
        {
            "id": [8150, 7, 9],
            "parent": [-1, 8150, 8150],
            "name": ["process", "twin", "twin"],
            "key": ["GO:0008150", "GO:0000007", "GO:0000009"],
        }
    )


@pytest.mark.parametrize(("root", "members"), [("cats", {2, 4, 5}), (2, {2, 4, 5}), ("2", {2, 4, 5}), ("0111", {4})])
def test_a_clade_is_found_by_id_or_name(taxa, root, members):
    clade = select_clade(taxa, root)
    assert set(clade["id"]) == members
    assert (clade["parent"] == -1).sum() == 1


def test_a_clade_is_found_by_key(terms):
    assert len(select_clade(terms, "GO:0008150")) == 3
    assert select_clade(terms, "GO:0000007")["id"].tolist() == [7]


def test_a_name_of_several_nodes_is_told_with_their_keys(terms):
    with pytest.raises(SourceError, match="'twin' names 2 nodes: give one of GO:0000007, GO:0000009"):
        select_clade(terms, "twin")


@pytest.mark.parametrize(("root", "near"), [("cots", "'cats'"), ("CATS", "'cats'"), ("proces", "'process'"), ("GO:008150", "'GO:0008150'")])
def test_an_unknown_name_has_near_matches_of_names_and_keys(taxa, terms, root, near):
    with pytest.raises(SourceError, match=f"is not in the source: did you mean .*{near}"):
        select_clade(pd.concat([taxa, terms]) if root[0] in "pG" else taxa, root)


def test_other_names_and_merged_ids_are_looked_up_last(taxa):
    aliases = pd.DataFrame({"alias": ["felines", "77", "Cats and lions"], "taxid": ["2", "2", "2"]})
    assert set(select_clade(taxa, "felines", lambda: aliases)["id"]) == {2, 4, 5}
    assert set(select_clade(taxa, 77, lambda: aliases)["id"]) == {2, 4, 5}
    with pytest.raises(SourceError, match="did you mean 'felines'"):
        select_clade(taxa, "felnes", lambda: aliases)
    select_clade(taxa, "cats", lambda: pytest.fail("no other names are needed"))


def test_the_lowest_ids_come_with_their_ancestors(taxa):
    assert set(select_lowest_ids(taxa, 1)["id"]) == {1, 2}
    assert set(select_lowest_ids(taxa, 3)["id"]) == {1, 2, 3, 4}
