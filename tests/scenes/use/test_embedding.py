"""What a user asks of embedded scenes."""

import numpy as np
import pandas as pd
import pytest

from terrarium.common.names import UnknownNameError
from terrarium.scenes.training.trainer import SceneTrainer
from terrarium.scenes.use.embedding import SceneEmbedding
from terrarium.scenes.use.new_scenes import embed_scenes
from tests.scenes.scenery import options, problem, tables


@pytest.fixture
def scenes():
    """Three kinds of graphs in eight scenes of two graphs each; each kind has a tag of its own."""
    rng = np.random.default_rng(0)
    kind = np.repeat(np.arange(8) % 3, 2)
    vectors = np.eye(3)[kind] * rng.uniform(1, 9, (16, 1)) + 0.01 * rng.normal(size=(16, 3))
    table = pd.DataFrame(vectors, columns=["x0", "x1", "x2"])
    scene = [f"town/{i // 2}" for i in range(16)]
    table = table.assign(graph_id=[f"town/{i // 2}/{i % 2}" for i in range(16)], scene=scene, time_s=0.0, source="town")
    return SceneEmbedding(table, pd.DataFrame({f"kind {i}": kind == i for i in range(3)}))


def test_the_most_similar_scenes_are_of_the_same_kind(scenes):
    found = scenes.similar("town/0", k=2)
    assert set(found["scene"]) == {"town/3", "town/6"}
    assert found["cosine"].is_monotonic_decreasing
    assert found["cosine"].min() > 0.99


def test_one_graph_may_be_asked_for_and_its_own_scene_is_left_out(scenes):
    found = scenes.similar("town/1/0", k=100)
    assert len(found) == 7
    assert "town/1" not in set(found["scene"])


def test_tags_are_shares_of_the_graphs(scenes):
    assert scenes.tag("town/4").to_dict("records") == [{"tag": "kind 1", "share": 1.0}]


def test_clusters_are_described_by_the_tags_that_are_over_represented(scenes):
    found = scenes.clusters(3)
    assert found["graphs"].tolist() == [6, 6, 4]
    assert set(found["tags"]) == {"kind 0", "kind 1", "kind 2"}
    assert (found["exemplar"].map(lambda name: scenes.tag(name)["tag"].iloc[0]) == found["tags"]).all()


def test_no_more_clusters_than_graphs(scenes):
    assert len(scenes.clusters(99)) == 16


def test_an_unknown_scene_is_refused_with_near_ones(scenes):
    with pytest.raises(UnknownNameError, match=r"did you mean 'town/"):
        scenes.similar("town/9")


def test_graphs_with_a_tag_are_found_and_a_former_name_is_answered_with_the_new_one(scenes):
    assert set(scenes.with_tag("kind 1")["scene"]) == {"town/1", "town/4", "town/7"}
    with pytest.raises(UnknownNameError, match="did you mean 'kind 1'"):
        scenes.with_tag("kind1")
    renamed = SceneEmbedding(scenes.graphs.assign(x0=1.0), pd.DataFrame({"fork_lane_change": [True] * 16}))
    with pytest.raises(UnknownNameError, match="is now called 'fork_lane_change'"):
        renamed.with_tag("cut_in")


def test_a_new_recording_is_embedded_and_compared_with_the_known_ones():
    chosen, made = options(), tables()
    weights = SceneTrainer(problem(chosen), chosen.model, chosen.training).weights()
    known = embed_scenes(weights, made["tracks"], made["lanes"]).embeddings
    scenes = SceneEmbedding(known, pd.DataFrame(index=known.index), weights)
    pd.testing.assert_frame_equal(scenes.embed(made["tracks"], made["lanes"]), known)
    novelty = scenes.novelty(made["tracks"], made["lanes"], k=2)
    assert novelty["distance"].is_monotonic_decreasing
    assert novelty["novelty_p"].between(0, 1).all()
    assert set(novelty["nearest"]) <= set(known["graph_id"])


def test_without_weights_nothing_new_is_embedded():
    known = pd.DataFrame({"graph_id": ["a"], "scene": ["a"], "time_s": [0.0], "source": ["real"], "x0": [1.0]})
    with pytest.raises(ValueError, match="there is no encoder"):
        SceneEmbedding(known, pd.DataFrame(index=[0])).embed(pd.DataFrame(), pd.DataFrame())
