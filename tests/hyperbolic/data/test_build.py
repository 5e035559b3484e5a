import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrarium.hierarchy import HierarchyError
from terrarium.hyperbolic.data import build
from terrarium.hyperbolic.data.build import build_taxonomy
from terrarium.hyperbolic.data.read import read_source
from terrarium.pipelines.hyperbolic.validators import require_exact_closure
from terrarium.sources.errors import SourceError

from tests.hyperbolic.data.options import source_options as options
from tests.hyperbolic.trees import trees

@pytest.fixture
def table(tmp_path):
    frame = pd.DataFrame(
        {
            "id": [1, 2, 3, 4, 5, 6],
            "parent": [None, 1, 1, 2, 2, 4],
            "name": ["life", "cats", "dogs", "lions", "cat sp. 1", "one lion"],
            "rank": ["kingdom", "family", "family", "genus", "species", "species"],
        }
    )
    frame.to_csv(tmp_path / "t.csv", index=False)
    return str(tmp_path / "t.csv")


def test_a_users_own_table_takes_two_parameters(table):
    taxa, edges, cleaning = build_taxonomy(read_source(options(path=table)), options(path=table))
    assert taxa["id"].tolist() == [1, 2, 4, 6, 5, 3]
    assert taxa["depth"].tolist() == [0, 1, 2, 3, 2, 1]
    assert dict(zip(edges["child"], edges["parent"], strict=True)) == {2: 1, 4: 2, 6: 4, 5: 2, 3: 1}
    assert cleaning["removed"].sum() == 0


def test_depth_limit_and_noise_filter(table):
    source = read_source(options(path=table))
    taxa, _, _ = build_taxonomy(source, options(max_depth=1))
    assert taxa["depth"].max() == 1
    taxa, _, cleaning = build_taxonomy(source, options(clean=True))
    assert 5 not in set(taxa["id"])
    assert cleaning.set_index("rule").loc["sp.", "removed"] == 1


def test_a_single_node_is_refused(table):
    source = read_source(options(path=table, select="clade", clade="dogs"))
    with pytest.raises(HierarchyError, match="only 'dogs' is left"):
        build_taxonomy(source, options())


def test_nameless_nodes_and_a_virtual_root_get_their_id_as_name(tmp_path):
    (tmp_path / "e.csv").write_text("child,parent\n2,1\n4,3\n")
    source = read_source(options(path=str(tmp_path / "e.csv")))
    taxa, _, _ = build_taxonomy(source, options(virtual_root=99))
    assert taxa["name"].tolist() == ["99", "1", "2", "3", "4"]
    with pytest.raises(HierarchyError, match="virtual_root"):
        build_taxonomy(source, options())


def test_unknown_ranks_have_close_matches(table):
    taxa, _, _ = build_taxonomy(read_source(options(path=table)), options())
    build.check_ranks(taxa, ["family", "order"])
    with pytest.raises(SourceError, match=r"unknown rank 'phylm': did you mean.*phylum"):
        build.check_ranks(taxa, ["phylm"])


@pytest.fixture
def several(tmp_path):
    frame = pd.DataFrame(
        {
            "id": [1, 2, 3, 4, 4, 5, 5],
            "parent": [None, 1, 1, 3, 2, 4, 1],
            "name": ["thing", "pet", "animal", "dog", "dog", "puppy", "puppy"],
        }
    )
    frame.to_csv(tmp_path / "t.csv", index=False)
    return str(tmp_path / "t.csv")


def test_several_parents_have_to_be_wanted(several):
    table = read_source(options(path=several))
    with pytest.raises(HierarchyError, match=r"node 4 is listed twice|source\.allow_multiple_parents"):
        build_taxonomy(table, options())


def test_several_parents_go_from_the_table_to_the_closure(several):
    wanted = options(allow_multiple_parents=True)
    taxa, edges, _ = build_taxonomy(read_source(options(path=several)), wanted)
    assert taxa["id"].tolist() == [1, 2, 3, 4, 5]
    assert list(zip(edges["child"], edges["parent"], strict=True)) == [(2, 1), (3, 1), (4, 3), (4, 2), (5, 4), (5, 1)]
    closure = build.closure_table(build.hierarchy_of(edges))
    found = {(a, d): k for a, d, k in closure.itertuples(index=False)}
    assert found == {(1, 2): 1, (1, 3): 1, (3, 4): 1, (2, 4): 1, (1, 4): 2, (4, 5): 1, (1, 5): 1, (3, 5): 2, (2, 5): 2}
    require_exact_closure(closure)


def test_a_clade_of_several_parents_drops_links_from_outside(several):
    wanted = options(allow_multiple_parents=True)
    taxa, edges, _ = build_taxonomy(read_source(options(path=several, select="clade", clade="pet")), wanted)
    assert taxa["name"].tolist() == ["pet", "dog", "puppy"]
    assert list(zip(edges["child"], edges["parent"], strict=True)) == [(4, 2), (5, 4)]


def test_keys_of_the_source_are_kept():
    table = pd.DataFrame(
        {"id": [1, 2], "parent": [-1, 1], "name": ["a", "b"], "rank": ["no rank"] * 2, "key": ["X:1", "X:2"]}
    )
    taxa, _, _ = build_taxonomy(table, options())
    assert taxa["key"].tolist() == ["X:1", "X:2"]


@given(trees(), st.integers(1, 40))
def test_cut_lineages_keep_pairs_of_low_ids(tree, cut):
    whole = build.closure_table(tree)
    expected = whole[(whole["ancestor"] <= cut) & (whole["descendant"] <= cut)]
    if expected.empty:
        with pytest.raises(SourceError, match="leaves no pair"):
            build.closure_table(tree, cut)
    else:
        assert build.closure_table(tree, cut).equals(expected.reset_index(drop=True))


def test_lengths_go_from_the_source_to_the_distances_from_the_root(tmp_path):
    rows = "id,parent,name,length\n1,,a,\n2,1,b,0.5\n3,2,c,2\n4,3,sp. d,1\n4,2,sp. d,9\n5,1,e,3\n"
    (tmp_path / "own.csv").write_text(rows, encoding="utf-8")
    chosen = options(path=str(tmp_path / "own.csv"), select="all", allow_multiple_parents=True)
    _, edges, _ = build_taxonomy(read_source(chosen), chosen)
    tree = build.hierarchy_of(edges)
    found = dict(zip(tree.ids.tolist(), build.root_distance(tree, edges).tolist(), strict=True))
    assert found == {1: 0.0, 2: 0.5, 3: 2.5, 4: 3.5, 5: 3.0}
    assert build.root_distance(tree, edges.drop(columns="length")) is None
    a, b = tree.rows([4, 3]), tree.rows([5, 4])
    distance = build.root_distance(tree, edges)
    assert build.patristic_distance(tree, distance, a, b).tolist() == [6.5, 1.0]
    part = build.edge_table(tree.part(tree.ids != 5), edges)
    assert part["length"].tolist() == [0.5, 2.0, 1.0, 9.0]


def test_lengths_up_to_a_virtual_root_are_the_files_own_or_one(tmp_path):
    (tmp_path / "own.csv").write_text("id,parent,length\n1,,0.01\n2,,\n3,1,0.03\n", encoding="utf-8")
    chosen = options(path=str(tmp_path / "own.csv"), select="all", virtual_root=99)
    _, edges, _ = build_taxonomy(read_source(chosen), chosen)
    assert edges.set_index("child")["length"].to_dict() == {1: 0.01, 3: 0.03, 2: 1.0}


def test_a_length_that_vanishes_is_refused(tmp_path):
    (tmp_path / "own.csv").write_text("id,parent,length\n1,,\n2,1,1\n3,2,1e-17\n", encoding="utf-8")
    chosen = options(path=str(tmp_path / "own.csv"), select="all")
    with pytest.raises(SourceError, match=r"link of 3 to 2 has length 1e-17.*raise it or join"):
        build_taxonomy(read_source(chosen), chosen)
