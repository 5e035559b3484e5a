"""Versions that belong together, from manifests alone."""

import pytest
from kedro.pipeline import Node, Pipeline

from terrarium.hooks.inputs import groups
from terrarium.hooks.lineage import Contradiction, Lineage, choose, contradictions

NODES = {
    "ingest": {"inputs": [], "outputs": ["f.taxa", "f.edges"]},
    "train": {"inputs": ["f.edges"], "outputs": ["f.weights"]},
    "evaluate": {"inputs": ["f.taxa", "f.weights"], "outputs": ["f.metrics"]},
}


def manifest(nodes, read=None):
    chosen = {name: NODES[name] for name in nodes}
    return {"nodes": chosen, "read": read or {}, "written": {}}


RUNS = {
    "1": manifest(["ingest", "train", "evaluate"]),
    "2": manifest(["ingest"]),
    "3": manifest(["evaluate"], {"f.taxa": "1", "f.weights": "1"}),
}


@pytest.fixture
def lineage():
    return Lineage(RUNS.get)


def test_lineage_walks_through_runs(lineage):
    line = lineage.of("f.metrics", "3")
    assert line == {"f.metrics": "3", "f.weights": "1", "f.taxa": "1", "f.edges": "1"}
    assert lineage.is_known("f.taxa", "2")
    assert not lineage.is_known("f.taxa", "9")


def test_taxa_follow_the_weights_and_not_the_newest(lineage):
    saved = {"f.taxa": ["2", "1"], "f.edges": ["2", "1"], "f.weights": ["1"]}
    assert choose(saved, {}, lineage) == {"f.taxa": "1", "f.edges": "1", "f.weights": "1"}


def test_without_weights_the_newest_data_are_taken(lineage):
    saved = {"f.taxa": ["2", "1"], "f.edges": ["2", "1"]}
    assert choose(saved, {}, lineage) == {"f.taxa": "2", "f.edges": "2"}


@pytest.mark.parametrize("named", [{"f.edges": "1"}, {"f.taxa": "1"}])
def test_versions_that_the_user_names_are_kept_and_followed(lineage, named):
    saved = {"f.taxa": ["2", "1"], "f.edges": ["2", "1"]}
    assert choose(saved, named, lineage) == {"f.taxa": "1", "f.edges": "1"}


def test_data_follow_named_weights_though_a_newer_run_has_all():
    runs = Lineage({"1": RUNS["1"], "2": RUNS["1"]}.get)
    saved = {"f.taxa": ["2", "1"], "f.weights": ["2", "1"]}
    assert choose(saved, {"f.weights": "1"}, runs) == {"f.taxa": "1", "f.weights": "1"}
    assert choose(saved, {"f.taxa": "1"}, runs) == {"f.taxa": "1", "f.weights": "1"}
    assert choose(saved, {}, runs) == {"f.taxa": "2", "f.weights": "2"}


def test_versions_that_the_user_mixes_are_read_and_contradict(lineage):
    chosen = choose({"f.taxa": ["2", "1"], "f.weights": ["1"]}, {"f.taxa": "2"}, lineage)
    assert chosen == {"f.taxa": "2", "f.weights": "1"}
    assert list(contradictions(chosen, lineage)) == [Contradiction("f.weights", "1", "f.taxa", "1")]


def test_without_manifests_the_newest_are_taken():
    saved = {"f.taxa": ["2", "1"], "f.weights": ["1"]}
    assert choose(saved, {}, Lineage(lambda _: None)) == {"f.taxa": "2", "f.weights": "1"}


def test_a_version_that_is_gone_falls_back_to_the_newest(lineage):
    chosen = choose({"f.taxa": ["2"], "f.weights": ["1"]}, {}, lineage)
    assert chosen == {"f.taxa": "2", "f.weights": "1"}
    assert list(contradictions(chosen, lineage))


def test_a_run_that_only_read_older_weights_does_not_bring_them_back(lineage):
    runs = Lineage((RUNS | {"4": RUNS["1"], "5": manifest(["evaluate"], {"f.taxa": "1", "f.weights": "1"})}).get)
    assert choose({"f.taxa": ["4", "1"], "f.weights": ["4", "1"]}, {}, runs) == {"f.taxa": "4", "f.weights": "4"}


def test_inputs_that_do_not_meet_are_chosen_apart():
    def node(inputs, output, name):
        return Node(lambda *_: None, inputs, output, name=name)

    pipeline = Pipeline(
        [
            node(["f.taxa"], "f.counts", "f.a"),
            node(["f.counts", "f.weights", "params:f"], "f.metrics", "f.b"),
            node(["g.taxa", "params:f"], "g.metrics", "g.a"),
        ]
    )
    assert groups(pipeline, ["g.taxa", "f.weights", "f.taxa"]) == [["f.taxa", "f.weights"], ["g.taxa"]]


def test_inputs_of_one_family_are_chosen_together_though_they_do_not_meet():
    """Run 2 trained again and exported no vectors, so both figures show run 1."""
    draw = Pipeline(
        [
            Node(lambda _: None, "f.history", "f.figure_loss", name="f.draw_loss"),
            Node(lambda _: None, "f.vectors", "f.figure_radius", name="f.draw_radius"),
            Node(lambda _: None, "free", "free_too", name="without_family"),
            Node(lambda _: None, "other", "other_too", name="without_family_either"),
        ]
    )
    assert groups(draw, ["f.history", "f.vectors", "free", "other"]) == [
        ["f.history", "f.vectors"],
        ["free"],
        ["other"],
    ]
    train = {"inputs": ["f.taxa"], "outputs": ["f.weights", "f.history"]}
    export = {"inputs": ["f.weights"], "outputs": ["f.vectors"]}
    runs = {
        "1": {"nodes": {"ingest": NODES["ingest"], "train": train, "export": export}, "read": {}},
        "2": {"nodes": {"train": train}, "read": {"f.taxa": "1"}},
    }
    saved = {"f.history": ["2", "1"], "f.vectors": ["1"]}
    assert choose(saved, {}, Lineage(runs.get)) == {"f.history": "1", "f.vectors": "1"}


def test_the_newest_run_is_enough_where_it_has_all_that_manifests_know():
    runs, read = {str(run): RUNS["1"] for run in range(1000, 1500)}, []
    lineage = Lineage(lambda version: (read.append(version), runs.get(version))[1])
    stamps = sorted(runs, reverse=True)
    saved = {"f.by_hand": ["0500"], "f.taxa": stamps, "f.weights": stamps}
    assert choose(saved, {}, lineage) == {"f.by_hand": "0500", "f.taxa": "1499", "f.weights": "1499"}
    assert sorted(read) == ["0500", "1499"]
