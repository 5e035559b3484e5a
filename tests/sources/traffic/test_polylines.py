import numpy as np
import pytest

from terrarium.sources.traffic.polylines import project_points

LINE = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 0.0], [10.0, 5.0]])


@pytest.mark.parametrize(
    ("place", "along", "distance", "direction"),
    [
        ((4.0, 3.0), 4.0, 3.0, 0.0),
        ((-3.0, -4.0), 0.0, 5.0, 0.0),
        ((12.0, 4.0), 14.0, 2.0, np.pi / 2),
        ((10.0, 9.0), 15.0, 4.0, np.pi / 2),
    ],
)
def test_the_nearest_point_of_a_line_with_a_corner_and_a_point_twice(place, along, distance, direction):
    found = project_points(np.array([place]), LINE)
    assert [float(value[0]) for value in found] == pytest.approx([along, distance, direction])
