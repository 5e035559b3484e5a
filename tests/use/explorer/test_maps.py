from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from terrarium.use.artifacts import MissingArtifactError
from terrarium.use.explorer.maps import _plane, open_map
from tests.project import ROOT, run


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps")
    run(folder, "--pipelines=knowledge_graph,scenes")
    return folder


def test_entities_are_as_large_as_their_triples(root):
    points = open_map("knowledge_graph", data_root=root, env="test", project=ROOT)
    np.testing.assert_array_equal(points.weight, 1 + points.details["triples"])
    assert points.kind == "plane"
    rows, distances = points.neighbours(3, 5)
    assert 3 not in rows
    assert (np.diff(distances) >= 0).all()


def test_scenes_have_a_picture_and_their_tags(root):
    points = open_map("scenes", data_root=root, env="test", project=ROOT)
    node = points.node(0)
    assert ElementTree.fromstring(node["picture"]).findall("{*}rect")
    values = dict(node["values"])
    assert values["scene"] in node["name"]
    assert set(values.values()) >= {"yes"} or len(values) == 3


def test_what_was_never_made_is_an_error(tmp_path):
    with pytest.raises(MissingArtifactError, match="first run"):
        open_map("senses", data_root=tmp_path, env="test", project=ROOT)


def test_the_note_says_how_much_of_the_variance_is_kept():
    vectors = np.random.default_rng(0).normal(size=(400, 4)) * [3.0, 2.0, 0.01, 0.01]
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    names = pd.Series([f"{i}" for i in range(400)])
    points = _plane("", vectors, names, pd.DataFrame({"name": names}), np.ones(400, np.float32))
    values = np.linalg.svd(unit - unit.mean(axis=0), compute_uv=False) ** 2
    assert f"{values[:2].sum() / values.sum():.0%} of the variance" in points.note
