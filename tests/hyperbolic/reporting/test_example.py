"""The taxon that the report works out."""

import numpy as np
import pytest

from terrarium.hierarchy import Hierarchy
from terrarium.hyperbolic.reporting.example import choose_example, find_taxon, work_out_example
from tests.hyperbolic import tables


def test_neighbours_and_ancestors_are_those_of_the_taxon():
    vectors = tables.vectors()
    found = work_out_example(vectors, "taxon 120")
    tree = Hierarchy.from_parents(vectors["id"], vectors["parent"])
    names = vectors.set_index("id")["name"]
    line = tree.ancestors(tree.rows([120])[0])
    assert found.ancestors["name"].tolist() == names.loc[tree.ids[line]].tolist()
    assert found.ancestors["hops"].tolist() == [1, 2, 3, 4]
    assert found.ancestors["detour"].iloc[-1] == pytest.approx(0.0, abs=1e-9)
    assert found.ancestors["distance"].iloc[-1] == pytest.approx(2.0)
    assert found.neighbours["distance"].is_monotonic_increasing
    assert len(found.neighbours) == 10
    assert "taxon 120" not in set(found.neighbours["name"])
    assert found.ancestors["position"].between(1, 120).all()


def test_the_order_of_the_rows_does_not_matter():
    vectors = tables.vectors()
    one, other = (work_out_example(v, "auto") for v in (vectors, vectors.sample(frac=1.0, random_state=0)))
    assert one.name == other.name
    assert one.neighbours.equals(other.neighbours)


def test_a_named_species_with_siblings_and_the_lowest_id_is_chosen():
    vectors = tables.vectors()
    tree = Hierarchy.from_parents(vectors["id"], vectors["parent"])
    table = vectors.set_index("id").loc[tree.ids].reset_index()
    species = np.flatnonzero(table["rank"] == "species")
    table.loc[species[[5, 9]], "name"] = ["Felis catus", "Felis chaus"]
    assert choose_example(tree, table) == species[5]
    table.loc[tree.parent[species[5]], "rank"] = "no rank"
    assert choose_example(tree, table) == species[9]
    table["rank"] = "no rank"
    assert tree.depth[choose_example(tree, table)] == tree.max_depth


def test_the_smallest_trees_have_an_example():
    for levels, branching in ((1, 1), (1, 2), (3, 1)):
        assert len(work_out_example(tables.vectors(branching, levels), "auto").ancestors) == levels


def test_a_taxon_is_found_by_name_or_id():
    table = tables.vectors()
    assert table["id"].iloc[find_taxon(table, 7)] == 7
    assert table["id"].iloc[find_taxon(table, "taxon 7")] == 7
    with pytest.raises(ValueError, match=r"reporting\.example: no taxon 'taxon 700' in the vectors: did you mean"):
        find_taxon(table, "taxon 700")
