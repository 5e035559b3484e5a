from xml.etree import ElementTree

import numpy as np
import pandas as pd

from terrarium.scenes.reporting.thumbnail import thumbnail


def graph(count):
    rng = np.random.default_rng(0)
    return {
        "position": rng.uniform(-50, 50, (count, 2)),
        "heading": rng.uniform(-3, 3, count),
        "length": np.full(count, 4.6),
        "width": np.full(count, 1.9),
        "actor_type": np.zeros(count, np.int8),
        "edge": np.array([[0, count - 1]]),
    }


def test_every_road_user_and_near_lane_is_drawn_inside_the_frame():
    near, far = ([0.0, 10.0], [0.0, 0.0]), ([900.0, 950.0], [0.0, 0.0])
    lanes = pd.DataFrame([near, far], columns=["x_m", "y_m"])
    drawn = graph(5)
    picture = ElementTree.fromstring(thumbnail(drawn, lanes))
    assert len(picture.findall("{*}rect")) == 5
    assert len(picture.findall("{*}polyline")) == 2, "one lane, one relation"
    left, top, side, _ = map(float, picture.get("viewBox").split())
    x, y = drawn["position"].T
    assert ((x > left) & (x < left + side) & (-y > top) & (-y < top + side)).all()
