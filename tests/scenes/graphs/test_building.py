import numpy as np
import pandas as pd
import pytest

from terrarium.pipelines.scenes import nodes
from terrarium.scenes.graphs.building import EmptyScenesError, _instants, build_graphs
from terrarium.scenes.graphs.columns import from_state
from tests.scenes.scenery import options, tables


def test_graphs_are_connected_and_relations_mirrored():
    graphs = from_state(tables()["graphs"])
    for index in range(0, len(graphs), 7):
        one = graphs.graph(index)
        assert (one["edge"][::2] == one["edge"][1::2, ::-1]).all()
        assert set(one["edge"].ravel().tolist()) == set(range(len(one["speed"])))
    assert (graphs.nodes >= 2).all()


def test_lane_changes_do_not_count_lanes_that_follow():
    made = tables()
    graphs = from_state(made["graphs"])
    assert 0.0 < graphs.lane_change.mean() < 0.3


def test_the_next_graph_is_of_the_same_scene_a_second_later():
    index = tables()["index"]
    some = index[index["next_row"] >= 0]
    later = index.loc[some["next_row"]]
    assert (later["scene"].to_numpy() == some["scene"].to_numpy()).all()
    assert later["time_s"].to_numpy() - some["time_s"].to_numpy() == pytest.approx(1.0)
    assert len(some) > len(index) / 3


def test_scenes_without_any_graph_are_told():
    made = tables()
    alone = made["tracks"].groupby("scene", as_index=False).head(1)
    with pytest.raises(EmptyScenesError, match="no scene gave a graph"):
        build_graphs(alone, made["lanes"], options().features.graphs)


def test_scenes_that_give_no_graph_are_counted_and_named(caplog):
    made = tables()
    tracks = made["tracks"]
    first = made["index"]["scene"].iloc[0]
    empty = tracks["scene"].nunique() - made["index"]["scene"].nunique()
    short = tracks[(tracks["scene"] != first) | (tracks["time_s"] == 0.0)]
    with caplog.at_level("WARNING"):
        _, index = build_graphs(short, made["lanes"], options().features.graphs)
    assert first not in set(index["scene"])
    assert f"{empty + 1} of {tracks['scene'].nunique()} scenes gave no graph" in caplog.text
    assert first in caplog.text


def test_graphs_of_two_sources_have_names_of_their_own():
    """Also where both call their scenes alike, and where snapshots are a twentieth of a second apart."""
    made = tables()
    tracks = made["tracks"][made["tracks"]["scene"] == made["tracks"]["scene"].iloc[0]].assign(scene="s")
    both = pd.concat([tracks.assign(source="a"), tracks.assign(source="b")], ignore_index=True)
    both["time_s"] /= 10.0
    chosen = options(features__graphs__interval_s=0.05).features.graphs
    _, index = build_graphs(both, made["lanes"], chosen)
    assert index["graph_id"].is_unique
    assert index["graph_id"].str.startswith("a/s/").sum() == len(index) / 2


@pytest.mark.parametrize(
    ("times", "interval", "found"),
    [
        (np.arange(0.0, 3.1, 0.5), 1.0, [0.0, 1.0, 2.0, 3.0]),
        (np.array([0.0, 1.03, 1.98, 3.0]), 1.0, [0.0, 1.03, 1.98, 3.0]),
        (np.array([0.0, 0.5, 1.0, 5.0, 5.5, 6.0]), 1.0, [0.0, 1.0, None, 5.0, 6.0]),
        (np.array([0.0, 0.5, 6.0]), 1.0, [0.0, 0.5, None, 6.0]),
        (np.array([0.0, 0.5, 1.0]), 0.25, [0.0, 0.5, 1.0]),
        (np.array([2.0]), 1.0, [2.0]),
    ],
)
def test_instants_are_near_what_is_wanted_or_missing(times, interval, found):
    assert _instants(times, interval) == found


def test_after_a_hole_no_lane_change_is_told():
    """Four seconds are missing: everybody is on another lane, and the first instant after them is left out."""
    made = tables()
    scene = made["tracks"]["scene"].iloc[0]
    tracks = made["tracks"][made["tracks"]["scene"] == scene]
    hole = tracks[(tracks["time_s"] <= 1.0) | (tracks["time_s"] >= 5.0)]
    whole, _ = build_graphs(tracks, made["lanes"], options(features__graphs__min_nodes=1).features.graphs)
    _, index = build_graphs(hole, made["lanes"], options(features__graphs__min_nodes=1).features.graphs)
    assert set(index["time_s"]) == {1.0, 6.0}
    assert len(whole) > len(index)


def test_road_users_without_relations_can_be_kept():
    chosen = options(features__graphs__min_nodes=1)
    made = nodes.build_graphs(tables()["tracks"], tables()["lanes"], chosen.features)
    graphs, index = made["graphs"], made["graph_index"]
    assert (index["nodes"] == 1).any()
    assert (from_state(graphs).edges[index["nodes"] == 1] == 0).all()


def test_a_source_without_any_graph_is_named():
    made = tables()
    tracks = made["tracks"]
    first = tracks[tracks["source"] != "real"]
    alone = tracks[tracks["source"] == "real"].groupby("scene", as_index=False).head(1)
    with pytest.raises(EmptyScenesError, match="no scene of the source 'real' gave a graph"):
        build_graphs(pd.concat([first, alone], ignore_index=True), made["lanes"], options().features.graphs)


def test_only_road_users_at_the_chosen_places_are_nodes_and_keep_their_numbers():
    made = tables()
    tracks = made["tracks"]
    away = tracks["actor"] == tracks["actor"].iloc[0]
    flagged = tracks.assign(place=np.where(away, "off_lane", "lane"))
    chosen = options().features.graphs
    some, index = build_graphs(flagged, made["lanes"], chosen)
    every, _ = build_graphs(flagged, made["lanes"], chosen.model_copy(update={"places": ["lane", "off_lane"]}))
    assert every.nodes.sum() > some.nodes.sum()
    rows = tracks[tracks["scene"] == tracks["scene"].iloc[0]]
    number = pd.factorize(rows["actor"])[0][(rows["actor"] == tracks["actor"].iloc[0]).to_numpy()][0]
    of_scene = some.node_rows(np.flatnonzero(index["scene"] == tracks["scene"].iloc[0]))
    assert number not in some.actor[of_scene]
