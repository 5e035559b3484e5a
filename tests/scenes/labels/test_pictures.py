from xml.etree import ElementTree

import pytest

from terrarium.scenes.labels.definitions import Definition, read_definitions
from terrarium.scenes.labels.pictures import _places, draw_definition

EVERY = read_definitions(None, "archetypes") | read_definitions(None, "tags")


@pytest.mark.parametrize("name", EVERY)
def test_a_picture_has_every_road_user_relation_and_flag_within_its_frame(name):
    given = EVERY[name]
    root = ElementTree.fromstring(draw_definition(given))
    letters = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    if given.road_users:
        assert sorted(letters) == given.road_users
    assert len(list(root.iter("{http://www.w3.org/2000/svg}line"))) == len(given.relations)
    width, height = float(root.get("width")), float(root.get("height"))
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        assert 0 <= float(text.get("x")) <= width
        assert 0 <= float(text.get("y")) <= height


@pytest.mark.parametrize("name", EVERY)
def test_no_two_road_users_are_in_one_place(name):
    places = _places(EVERY[name])
    assert len({place[:2] for place in places.values()}) == len(places)


def test_leaders_are_ahead_neighbours_to_the_side_and_opposite_traffic_drives_down():
    places = _places(Definition(definition="x", relations=["a>b", "a=c", "a~d"]))
    assert places["b"] == (0.0, 1.0, False)
    assert places["c"] == (1.0, 0.0, False)
    assert places["d"][0] < 0.0
    assert places["d"][2]
