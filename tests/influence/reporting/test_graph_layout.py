import numpy as np

from terrarium.influence.reporting.graph_layout import LEFT, RIGHT, edge_curves, entity_positions

EDGES = [("v", "h"), ("v", "h"), ("h", "v"), ("v", "a"), ("b", "h"), ("c", "d"), ("a", "h"), ("b", "b"), ("a", "d")]


def test_entities_have_positions_of_their_own_and_are_opposite():
    positions = entity_positions(EDGES, "v", "h")
    assert len(set(positions.values())) == len(positions) == 6
    assert positions["v"] == (LEFT, 0)
    assert positions["h"] == (RIGHT, 0)
    assert positions["a"][0] == RIGHT
    assert positions["b"][0] == LEFT
    assert set(entity_positions([("v", "v"), ("v", "x")], "v", "v")) == {"v", "x"}


def test_lines_lead_from_end_to_end_between_the_columns_and_apart():
    positions = entity_positions(EDGES, "v", "h")
    curves = edge_curves(EDGES, positions)
    for (one, other), curve in zip(EDGES, curves, strict=True):
        assert np.allclose(curve[0], positions[one])
        assert np.allclose(curve[-1], positions[other])
        assert (curve[:, 0] >= LEFT - 1e-9).all()
        assert (curve[:, 0] <= RIGHT + 1e-9).all()
        assert np.ptp(curve, axis=0).max() > 0.1
    middles = [curve[len(curve) // 2] for curve in curves[:3]]
    assert min(np.abs(a - b).max() for i, a in enumerate(middles) for b in middles[:i]) > 0.1
    assert np.allclose(curves[1][20], edge_curves([*EDGES[:1], EDGES[0][::-1]], positions)[1][20])
