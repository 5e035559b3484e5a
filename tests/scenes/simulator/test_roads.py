import numpy as np
import pytest

from terrarium.scenes.simulator.roads import make_roads


@pytest.mark.parametrize("seed", range(12))
def test_lanes_are_connected_and_neighbours_are_mutual(seed):
    roads = make_roads("r", np.random.default_rng(seed))
    for number, lane in enumerate(roads.lanes):
        for other in lane.following:
            assert np.linalg.norm(lane.line[-1] - roads.lanes[other].line[0]) < 5.0
        for other in lane.neighbour:
            assert number in roads.lanes[other].neighbour
            assert np.linalg.norm(lane.line[0] - roads.lanes[other].line[0]) < 8.0
        for other in lane.opposite:
            assert number in roads.lanes[other].opposite
            away = roads.lanes[other].line
            assert (lane.line[-1] - lane.line[0]) @ (away[-1] - away[0]) < 0.0
    assert any(lane.intersection for lane in roads.lanes) == (roads.arms > 2)
