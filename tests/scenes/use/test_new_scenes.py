import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.scenes.models.embedding import embed_graphs
from terrarium.scenes.training.trainer import SceneTrainer
from terrarium.scenes.use.new_scenes import TooFewGraphsError, embed_scenes, find_nearest, measure_novelty
from tests.scenes.scenery import graphs, options, problem, tables


def table(vectors, scenes, source="known"):
    columns = {f"x{i}": column for i, column in enumerate(np.asarray(vectors, float).T)}
    ids = [f"{source}/{i}" for i in range(len(scenes))]
    return pd.DataFrame({"graph_id": ids, "scene": scenes, "time_s": 1.0, "source": source, **columns})


def random_tables(seed):
    rng = np.random.default_rng(seed)
    known = table(rng.normal(size=(40, 4)), [f"s{i % 8}" for i in range(40)])
    return table(rng.normal(size=(6, 4)), [f"n{i % 2}" for i in range(6)], "new"), known


@pytest.fixture(scope="module")
def weights():
    chosen = options()
    return SceneTrainer(problem(chosen), chosen.model, chosen.training).weights()


def test_known_scenes_get_the_vectors_they_had(weights):
    """The weights remember how their graphs were built, so the same scenes give the same graphs and vectors."""
    made = tables()
    found = embed_scenes(weights, made["tracks"], made["lanes"])
    assert found.index["graph_id"].tolist() == made["index"]["graph_id"].tolist()
    vectors = found.embeddings.filter(regex=r"^x\d+$").to_numpy()
    assert np.array_equal(vectors, embed_graphs(weights, graphs()))


def test_other_scenes_need_no_training(weights):
    made = tables()
    scene = made["tracks"]["scene"].iloc[0]
    tracks = made["tracks"][made["tracks"]["scene"] == scene].assign(source="new", scene="new/1")
    found = embed_scenes(weights, tracks, made["lanes"])
    assert set(found.embeddings["scene"]) == {"new/1"}
    assert found.graphs.nodes.tolist() == found.index["nodes"].tolist()


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_the_nearest_graph_of_each_of_the_nearest_scenes(seed):
    """As a search of all pairs finds them."""
    new, known = random_tables(seed)
    found = find_nearest(new, known, 3)
    a, b = (t.filter(regex=r"^x\d+$").to_numpy() for t in (new, known))
    cosine = a @ b.T / np.linalg.norm(a, axis=1)[:, None] / np.linalg.norm(b, axis=1)
    for number, graph in enumerate(new["graph_id"]):
        order = known.assign(cosine=cosine[number]).sort_values("cosine", ascending=False).drop_duplicates("scene")
        rows = found[found["graph_id"] == graph]
        assert rows["rank"].tolist() == [1, 2, 3]
        assert rows["nearest_graph"].tolist() == order["graph_id"].head(3).tolist()
        assert rows["nearest_scene"].tolist() == order["scene"].head(3).tolist()
        assert rows["cosine"].to_numpy() == pytest.approx(order["cosine"].head(3).to_numpy())


@given(st.integers(0, 1000), st.integers(1, 5))
@settings(max_examples=20, deadline=None)
def test_a_known_graph_as_a_new_scene_is_as_novel_as_among_the_others(seed, k):
    """Hold out one scene: the p of its graphs is uniform, as of any exchangeable scene, and never 0."""
    _, known = random_tables(seed)
    is_out = (known["scene"] == "s0").to_numpy()
    novelty = measure_novelty(known[is_out], known[~is_out], k)
    assert novelty["distance"].is_monotonic_decreasing
    assert novelty["novelty_p"].is_monotonic_increasing
    assert novelty["novelty_p"].between(1 / (1 + (~is_out).sum()), 1.0).all()
    assert known[is_out]["graph_id"].iloc[novelty["row"]].tolist() == novelty["graph_id"].tolist()


def test_novelty_follows_the_distance_to_what_is_known():
    """Known graphs are along one axis; a copy of one is not novel, another direction is as novel as possible."""
    rng = np.random.default_rng(0)
    near = np.column_stack([np.ones(50), rng.normal(0, 0.01, (50, 2))])
    known = table(near, [f"s{i}" for i in range(50)])
    novelty = measure_novelty(table([near[0], [0.0, 0.0, 1.0]], ["a", "b"], "new"), known, 1)
    assert novelty["scene"].tolist() == ["b", "a"]
    assert novelty["novelty_p"].tolist() == [1 / 51, 1.0]
    with pytest.raises(TooFewGraphsError, match="novelty needs 50 known graphs of other scenes"):
        measure_novelty(known, known, 50)
