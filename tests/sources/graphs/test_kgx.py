import json

import numpy as np
import pytest

from terrarium.sources.errors import SourceError
from terrarium.sources.graphs.kgx import read_kgx, read_styles, relation_name
from terrarium.sources.graphs.kgx_filter import EdgeFilter

NODES = {
    "C:1": "ChemicalEntity",
    "C:2": "ChemicalEntity",
    "G:1": "Gene",
    "G:2": "Gene",
    "D:1": "DiseaseOrPhenotypicFeature",
    "D:2": "DiseaseOrPhenotypicFeature",
    "A:1": "AnatomicalEntity",
}
EDGES = [
    ("C:1", "treats", "D:1", {}),
    ("C:1", "affects", "G:1", {"object_aspect_qualifier": "activity", "object_direction_qualifier": "increased"}),
    ("G:1", "affects", "D:1", {}),
    ("G:1", "interacts_with", "G:2", {}),
    ("D:2", "subclass_of", "D:1", {}),
    ("C:2", "interacts_with", "C:1", {}),
    ("G:2", "expressed_in", "A:1", {}),
    ("D:1", "caused_by", "C:2", {}),
]


@pytest.fixture
def folder(tmp_path):
    rows = [
        {
            "id": i,
            "name": f"the {i}",
            "category": [f"biolink:{c}", "biolink:GeneOrGeneProduct"] if c == "Gene" else [f"biolink:{c}"],
        }
        for i, c in NODES.items()
    ]
    edges = [{"subject": s, "predicate": f"biolink:{p}", "object": o, **more} for s, p, o, more in EDGES]
    for name, content in (("nodes.jsonl", rows), ("edges.jsonl", edges)):
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in content))
    return tmp_path


def kept(folder, style, **more):
    triples = read_kgx(folder, nodes="nodes.jsonl", edges="edges.jsonl", style=style, **more).triples
    return {
        (h, r.partition("[")[0], t)
        for h, r, t in zip(triples["head"], triples["relation"], triples["tail"], strict=True)
    }


ALL = {(s, p, o) for s, p, o, _ in EDGES}
CHEMICAL_DISEASE = {("C:1", "treats", "D:1"), ("D:1", "caused_by", "C:2")}
OF_GENES = {("C:1", "affects", "G:1"), ("G:1", "affects", "D:1"), ("G:1", "interacts_with", "G:2")}
SUBCLASS, CHEMICALS = ("D:2", "subclass_of", "D:1"), ("C:2", "interacts_with", "C:1")


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("keepall", ALL),
        ("original", ALL - {SUBCLASS}),
        ("rCD", ALL - CHEMICAL_DISEASE),
        ("CD", CHEMICAL_DISEASE | {SUBCLASS, CHEMICALS}),
        ("CGGD", CHEMICAL_DISEASE | OF_GENES),
        ("CCGGDD", CHEMICAL_DISEASE | OF_GENES | {CHEMICALS}),
        ("CGGD_alltreat", CHEMICAL_DISEASE | OF_GENES),
        ("CCGGDD_alltreat", CHEMICAL_DISEASE | OF_GENES | {SUBCLASS, CHEMICALS}),
        ("CGGD_minus", OF_GENES | {("C:1", "treats", "D:1")}),
    ],
)
def test_a_style_keeps_what_its_table_says(folder, style, expected):
    assert kept(folder, style) == expected


def test_the_clean_baseline_keeps_what_touches_a_treated_node_and_drops_low_degrees(folder):
    found = kept(folder, "clean_baseline")
    assert ("G:2", "expressed_in", "A:1") not in found  # its predicate is dropped
    assert SUBCLASS not in found  # D:2 has one edge
    assert {("C:1", "treats", "D:1"), ("C:1", "affects", "G:1"), ("G:1", "affects", "D:1"), CHEMICALS} <= found


def test_qualifiers_make_the_relation_in_one_order():
    first = {
        "predicate": "biolink:affects",
        "object_direction_qualifier": "increased",
        "object_aspect_qualifier": "activity",
    }
    assert relation_name(first) == "affects[object_aspect_qualifier=activity;object_direction_qualifier=increased]"
    assert relation_name({"predicate": "biolink:treats", "object_aspect_qualifier": None}) == "treats"


def test_nodes_without_edges_are_left_out_and_the_others_keep_names_and_classes(folder):
    graph = read_kgx(folder, nodes="nodes.jsonl", edges="edges.jsonl", style="CGGD")
    assert set(graph.entities["entity"]) == {"C:1", "C:2", "G:1", "G:2", "D:1"}
    assert graph.entities.set_index("entity").loc["G:1", ["name", "category"]].tolist() == ["the G:1", "Gene"]
    assert graph.triples["head"].cat.categories.tolist() == graph.entities["entity"].tolist()
    assert graph.counts == {"edges": 8, "edges_kept": 5, "nodes": 7, "nodes_kept": 5}


def test_faulty_lines_are_named_or_counted(folder):
    with (folder / "edges.jsonl").open("a") as file:
        file.write('{"subject": "C:1"}\nnot json\n{"subject": "X:9", "predicate": "biolink:treats", "object": "D:1"}\n')
    with pytest.raises(SourceError, match=r"edges\.jsonl line 9 is not a JSON object with subject"):
        kept(folder, "keepall")
    graph = read_kgx(folder, nodes="nodes.jsonl", edges="edges.jsonl", style="keepall", on_error="skip")
    assert graph.counts["malformed_lines"] == 2
    assert graph.counts["unknown_entities"] == 1
    assert len(graph.triples) == len(EDGES)


@pytest.mark.parametrize(
    "change", [{"predicate": "biolink:"}, {"predicate": "biolink: "}, {"object_aspect_qualifier": "biolink:"}]
)
def test_biolink_s_prefix_alone_is_no_name(folder, change):
    with (folder / "edges.jsonl").open("a") as file:
        file.write(json.dumps({"subject": "G:1", "predicate": "biolink:affects", "object": "G:2"} | change) + "\n")
    with pytest.raises(SourceError, match=r"edges\.jsonl line 9 is not a JSON object with subject, predicate, object"):
        kept(folder, "keepall")
    assert kept(folder, "keepall", on_error="skip") == ALL


@pytest.mark.parametrize("category", [3, [None], {"a": 1}, [["biolink:Gene"]], "biolink:"])
def test_a_category_of_another_form_is_named_or_counted(folder, category):
    with (folder / "nodes.jsonl").open("a") as file:
        file.write(json.dumps({"id": "G:9", "category": category}) + "\n")
    with pytest.raises(SourceError, match=r"nodes\.jsonl line 8 has a category that is neither"):
        kept(folder, "keepall")
    counts = read_kgx(folder, nodes="nodes.jsonl", edges="edges.jsonl", style="keepall", on_error="skip").counts
    assert (counts["malformed_lines"], counts["nodes"]) == (1, len(NODES))


def test_bytes_that_are_not_utf_8_are_named_or_counted(folder):
    with (folder / "edges.jsonl").open("ab") as file:
        file.write(b"\xff\n")
    with pytest.raises(SourceError, match=r"edges\.jsonl line 9 is not UTF-8"):
        kept(folder, "keepall")
    assert kept(folder, "keepall", on_error="skip") == ALL


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a mapping of names to styles"),
        ("mine:\n", "is not a mapping of names to styles"),
        ("mine: {pairs: [[Gene]]}", r"a style's pairs\.0 is \['Gene'\]: Tuple should have at least 2 items"),
        ("mine: {always: treats}", "a style's always is 'treats': it must be a list"),
        ("mine: {drop: [{predicates: treats}]}", r"a style's drop\.0\.predicates is 'treats'"),
        ("mine: {drop: {predicates: [treats]}}", "a style's drop is .*: it must be a list"),
        ("mine: {min_degree: two}", "a style's min_degree is 'two': Input should be a valid integer"),
        ("mine: {1: 2}", "a style's 1 is 1: Keys should be strings"),
        ("mine: [", "is not YAML"),
    ],
)
def test_a_style_of_another_form_is_refused(folder, text, message):
    own = folder / "styles.yml"
    own.write_text(text)
    with pytest.raises(SourceError, match=message):
        kept(folder, "mine", styles=own)


def test_every_style_of_the_project_is_well_formed():
    for style in read_styles().values():
        EdgeFilter(style, [])


def test_errors_say_what_there_is(folder, tmp_path):
    with pytest.raises(SourceError, match=r"none\.yml cannot be read"):
        kept(folder, "keepall", styles=tmp_path / "none.yml")
    with pytest.raises(SourceError, match="choose from original, keepall"):
        kept(folder, "nothing")
    own = tmp_path / "styles.yml"
    own.write_text("none: {pairs: []}\nwrong: {pair: []}\n")
    with pytest.raises(SourceError, match="no edge of 8 is left"):
        kept(folder, "none", styles=own)
    with pytest.raises(SourceError, match=r"a style's pair is .*: there is no such key"):
        kept(folder, "wrong", styles=own)


def test_rules_ask_for_all_their_parts():
    rules = read_styles()["clean_baseline"]
    judged = EdgeFilter(rules, [("Gene",), ("Gene",)])
    edge = {
        "subject": "CHEBI:1",
        "object": "NCBIGene:1",
        "primary_knowledge_source": "infores:bindingdb",
        "affinity": 6.0,
    }
    assert not judged.keeps("affects", 0, 1, edge)
    assert judged.keeps("affects", 0, 1, edge | {"affinity": 8.0})
    assert judged.keeps("affects", 0, 1, edge | {"primary_knowledge_source": "infores:other"})
    assert not judged.keeps("has_participant", 0, 1, edge | {"object": "REACT:R-MMU-1"})
    assert judged.keeps("has_participant", 0, 1, edge | {"object": "REACT:R-HSA-1"})
    assert not judged.keeps("subclass_of", 0, 1, {"subject": "NCIT:1", "object": "NCIT:2"})
    assert judged.keeps("subclass_of", 0, 1, {"subject": "NCIT:1", "object": "MONDO:2"})


def test_degrees_are_counted_in_what_is_left():
    judged = EdgeFilter({"min_degree": 2}, [()] * 4)
    kept_edges = judged.by_degree(np.array([0, 1, 2], np.int32), np.array([1, 2, 3], np.int32))
    assert kept_edges.tolist() == [False, True, False]
