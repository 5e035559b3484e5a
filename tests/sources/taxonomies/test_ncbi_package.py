import pytest

from terrarium.hierarchy import Hierarchy
from terrarium.sources.errors import SourceError
from terrarium.sources.taxonomies.ncbi_package import RANKS, NcbiPackage


@pytest.fixture(scope="module")
def package():
    return NcbiPackage()


def test_echinodermata_has_the_known_size(package):
    table = package.clade(7586)
    tree = Hierarchy.from_parents(table["id"], table["parent"])
    assert (len(tree), tree.max_depth, tree.pair_count) == (7112, 15, 61168)
    assert tree.ids[0] == 7586


def test_names_and_ranks_are_those_of_ncbi(package):
    table = package.clade(9604).set_index("id")
    assert table.loc[9606, "name"] == "Homo sapiens"
    assert table.loc[9606, "rank"] == "species"
    assert table.loc[9605, "rank"] == "genus"
    assert table.loc[9604, "parent"] == -1
    assert RANKS[44] == "no rank"


def test_max_depth_cuts_the_clade(package):
    table = package.clade(9604, max_depth=2)
    assert Hierarchy.from_parents(table["id"], table["parent"]).max_depth == 2


def test_a_name_is_a_tax_id(package):
    assert package.resolve("Hominidae") == package.resolve("9604") == package.resolve(9604) == 9604


def test_a_homonym_lists_its_taxa(package):
    with pytest.raises(SourceError, match=r"names 3 taxa.*7215 \(genus, in Drosophilini\)"):
        package.clade("Drosophila")


@pytest.mark.parametrize(
    ("name", "close"),
    [("mammalia", "'Mammalia'"), ("Homo sapens", "'Homo sapiens'"), ("Echinodermta", "'Echinodermata'")],
)
def test_an_unknown_name_has_close_matches(package, name, close):
    with pytest.raises(SourceError, match=close):
        package.clade(name)


def test_an_unknown_id_says_so(package):
    with pytest.raises(SourceError, match="tax id 999999999 is not in"):
        package.clade(999999999)


@pytest.mark.slow
def test_the_lowest_tax_ids_are_the_documents_small_set_done_right(package):
    table = package.lowest_taxids(100_000)
    tree = Hierarchy.from_parents(table["id"], table["parent"])
    assert (len(tree), tree.pair_count) == (111_906, 1_925_647)
