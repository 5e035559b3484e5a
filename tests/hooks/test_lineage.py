"""Versions that belong together, from manifests alone."""

import pytest

from terrarium.hooks.lineage import Lineage, choose

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


def versions(choices):
    return {name: choice.version for name, choice in choices.items()}


def test_lineage_walks_through_runs(lineage):
    line = lineage.of("f.metrics", "3")
    assert line == {"f.metrics": "3", "f.weights": "1", "f.taxa": "1", "f.edges": "1"}
    assert lineage.is_known("f.taxa", "2")
    assert not lineage.is_known("f.taxa", "9")


def test_taxa_follow_the_weights_and_not_the_newest(lineage):
    on_disk = {"f.taxa": ["2", "1"], "f.edges": ["2", "1"], "f.weights": ["1"]}
    choices = choose(on_disk, {}, {"f"}, lineage)
    assert versions(choices) == {"f.taxa": "1", "f.edges": "1", "f.weights": "1"}
    assert choices["f.taxa"].reason == "followed"
    assert choices["f.taxa"].because == "f.weights:1"


def test_without_weights_the_newest_data_are_taken(lineage):
    assert versions(choose({"f.taxa": ["2", "1"], "f.edges": ["2", "1"]}, {}, {"f"}, lineage)) == {
        "f.taxa": "2",
        "f.edges": "2",
    }


def test_what_the_user_names_is_kept_and_followed(lineage):
    choices = choose({"f.taxa": ["2", "1"], "f.edges": ["2", "1"]}, {"f.edges": "1"}, {"f"}, lineage)
    assert versions(choices) == {"f.taxa": "1", "f.edges": "1"}
    assert choices["f.edges"].reason == "named"


def test_without_manifests_the_newest_are_taken():
    choices = choose({"f.taxa": ["2", "1"], "f.weights": ["1"]}, {}, {"f"}, Lineage(lambda _: None))
    assert versions(choices) == {"f.taxa": "2", "f.weights": "1"}


def test_a_version_that_is_gone_falls_back_to_the_newest(lineage):
    choices = choose({"f.taxa": ["2"], "f.weights": ["1"]}, {}, {"f"}, lineage)
    assert (choices["f.taxa"].version, choices["f.taxa"].reason) == ("2", "removed")


def test_families_do_not_disturb_each_other(lineage):
    choices = choose({"f.weights": ["1"], "f.taxa": ["2", "1"], "g.taxa": ["7", "6"]}, {}, {"f", "g"}, lineage)
    assert versions(choices) == {"f.weights": "1", "f.taxa": "1", "g.taxa": "7"}
