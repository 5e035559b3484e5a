"""What a user asks of a hierarchy with its layout."""

import numpy as np
import pandas as pd
import pytest

from terrarium.common.names import UnknownNameError
from terrarium.hyperbolic.geometry import ball
from terrarium.hyperbolic.layouts.caps import cap_layout
from terrarium.hyperbolic.use.embed import embed
from terrarium.hyperbolic.use.embedding import HyperbolicEmbedding

EDGES = [
    ("cat", "felids"), ("lion", "felids"), ("dog", "canids"), ("wolf", "canids"),
    ("felids", "carnivores"), ("canids", "carnivores"), ("carnivores", "mammals"), ("horse", "mammals"),
]  # fmt: skip


@pytest.fixture(scope="module")
def mammals():
    return embed(EDGES, dim=5)


def test_the_nearest_are_sorted_by_distance_and_exclude_the_node(mammals):
    found = mammals.nearest("cat", k=3)
    assert found["name"].iloc[0] == "felids"
    assert found["distance"].is_monotonic_increasing
    assert "cat" not in set(found["name"])
    assert found["distance"].tolist() == [mammals.distance("cat", name) for name in found["name"]]


def test_a_list_of_nodes_gives_the_rows_of_each(mammals):
    both = mammals.nearest(["cat", "dog"], k=2)
    assert both["query"].tolist() == ["cat", "cat", "dog", "dog"]
    assert both[both["query"] == "dog"]["name"].tolist() == mammals.nearest("dog", k=2)["name"].tolist()


def test_a_point_may_be_asked_for(mammals):
    of_node = ball.Layout(mammals.layout.radius[:1], mammals.layout.direction[:1])
    assert mammals.nearest(of_node, k=1)["name"].tolist() == [mammals.name_of(0)]
    assert mammals.nearest(np.zeros(5), k=1)["name"].tolist() == ["mammals"]


def test_neighbours_may_be_limited_to_some_nodes(mammals):
    leaves = ["lion", "dog", "wolf", "horse"]
    assert mammals.nearest("cat", k=9, among=leaves)["name"].iloc[0] == "lion"
    assert set(mammals.nearest("cat", k=9, among=leaves)["name"]) == set(leaves)


def test_distances_of_lists_are_those_of_pairs(mammals):
    both = mammals.distance(["cat", "dog"], ["lion", "wolf"])
    assert both == pytest.approx([mammals.distance("cat", "lion"), mammals.distance("dog", "wolf")])


def test_ancestors_and_descendants_are_read_off_the_points(mammals):
    assert mammals.calibration.precision == mammals.calibration.recall == 1.0
    assert mammals.ancestors("wolf")["name"].tolist() == ["canids", "carnivores", "mammals"]
    assert set(mammals.descendants("carnivores")["name"]) == {"felids", "canids", "cat", "lion", "dog", "wolf"}
    assert mammals.ancestors("wolf")["known"].all()
    assert mammals.is_a("cat", "felids") > 0.9
    assert mammals.is_a("cat", "canids") < 0.1
    assert mammals.is_a("felids", "cat") < 0.1


def test_nested_caps_are_read_by_distance_beyond_the_radius(mammals):
    capped = HyperbolicEmbedding(mammals.nodes, mammals.tree, cap_layout(mammals.tree, 5, 20.0, 0))
    assert set(capped.descendants("carnivores")["name"]) == {"felids", "canids", "cat", "lion", "dog", "wolf"}


def test_a_layout_without_the_hierarchy_has_a_low_precision():
    rng = np.random.default_rng(0)
    pairs = [(f"n{i}", f"n{rng.integers(0, i)}") for i in range(1, 300)]
    good = embed(pairs, dim=3)
    shuffled = ball.Layout(good.layout.radius, rng.permutation(good.layout.direction))
    bad = HyperbolicEmbedding(good.nodes, good.tree, shuffled)
    assert bad.calibration.f1 < 0.6 < good.calibration.f1


def test_common_ancestors_and_paths_come_from_the_hierarchy(mammals):
    assert mammals.lowest_common_ancestor("cat", "lion", "dog") == "carnivores"
    assert mammals.lowest_common_ancestor("cat", "felids") == "felids"
    assert mammals.path_to_root("cat")["name"].tolist() == ["felids", "carnivores", "mammals"]


def test_unknown_names_are_refused_with_near_ones(mammals):
    with pytest.raises(UnknownNameError, match="did you mean 'felids'"):
        mammals.nearest("felid")


def test_vectors_are_inside_the_ball(mammals):
    assert np.linalg.norm(mammals.vector("cat")) < 1.0
    assert "9 nodes below 'mammals'" in repr(mammals)


def test_nodes_keep_the_columns_that_they_have(mammals):
    ranked = HyperbolicEmbedding(
        mammals.nodes.assign(rank="species", key=[f"k:{i}" for i in range(9)]), mammals.tree, mammals.layout
    )
    assert ranked.nearest("k:0", k=1).columns.tolist() == ["id", "key", "name", "rank", "distance"]
    assert isinstance(ranked.nearest("k:0"), pd.DataFrame)


def test_a_new_item_is_placed_next_to_its_siblings(mammals):
    for given in (
        {"siblings": ["cat", "lion"]},
        {"neighbours": {"cat": 2.0, "lion": 1.0, "dog": 0.1}},
        {"distances": {"cat": 2.0, "lion": 2.0, "dog": 4.0, "horse": 4.0}},
    ):
        new = mammals.place(**given)
        assert new.parents["name"].iloc[0] == "felids"
        assert new.parents["cost"].is_monotonic_increasing
        assert {"cat", "lion", "felids"} & set(mammals.nearest(new.point, k=2)["name"])


def test_a_new_child_of_a_known_parent_is_nearest_to_it(mammals):
    for parent in ("canids", "horse"):
        new = mammals.place(parent=parent)
        assert new.parents["name"].tolist() == [parent]
        assert mammals.nearest(new.point, k=1)["name"].tolist() == [parent]
        assert new.point.radius[0] > mammals.layout.radius[mammals.row(parent)]


def test_placing_needs_one_kind_of_relative(mammals):
    with pytest.raises(ValueError, match="give one of siblings, parent, neighbours and distances"):
        mammals.place()
    with pytest.raises(ValueError, match="give one of siblings"):
        mammals.place(["cat"], parent="felids")
    with pytest.raises(ValueError, match="weights must be positive"):
        mammals.place(neighbours={"cat": -1.0})
    with pytest.raises(UnknownNameError, match="did you mean 'cat'"):
        mammals.place(["cot"])
