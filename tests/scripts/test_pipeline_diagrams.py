"""Diagrams of pipelines: all nodes, arrows that follow the data and pass no box, files that are current."""

import pytest
from kedro.pipeline import Node, Pipeline

from scripts.pipeline_diagrams import FOLDER, diagrams, node_graph, place_boxes
from terrarium.pipeline_registry import register_pipelines

PIPELINES = {name: pipeline for name, pipeline in register_pipelines().items() if name != "__default__"}


def test_the_diagrams_are_current():
    """If not: make reference."""
    drawn = diagrams()
    assert set(FOLDER.glob("*.svg")) == set(drawn)
    assert [path.name for path, text in drawn.items() if path.read_text(encoding="utf-8") != text] == []


@pytest.mark.parametrize("name", PIPELINES)
def test_every_node_is_a_box_and_figures_are_one(name):
    boxes, _ = place_boxes(node_graph(PIPELINES[name]))
    short = {node.name.rpartition(".")[2] for node in PIPELINES[name].nodes}
    assert set(boxes) - {"draw figures"} == {node for node in short if not node.startswith("draw_")}


@pytest.mark.parametrize("name", PIPELINES)
def test_arrows_lead_to_the_right_and_pass_no_box(name):
    graph = node_graph(PIPELINES[name])
    boxes, ways = place_boxes(graph)
    places = {(box.left, box.top) for box in boxes.values()}
    assert len(places) == len(boxes)
    assert len(ways) == graph.number_of_edges()
    for way in ways:
        assert [left for left, _ in way] == sorted({left for left, _ in way})
        assert places.isdisjoint(way[1:-1])


def test_arrows_that_others_imply_are_left_out():
    def copy(*values):
        return values

    nodes = [
        Node(copy, ["a"], "b", name="first", tags="ingestion"),
        Node(copy, ["b"], "c", name="second", tags="features"),
        Node(copy, ["b", "c"], "d", name="third", tags="training"),
    ]
    assert set(node_graph(Pipeline(nodes)).edges) == {("first", "second"), ("second", "third")}
