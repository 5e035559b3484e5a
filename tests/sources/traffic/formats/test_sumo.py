import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.sources.errors import SourceError
from terrarium.sources.traffic.checks import check
from terrarium.sources.traffic.formats.sumo import read_sumo

NETWORK = """<?xml version="1.0" encoding="UTF-8"?>
<net version="1.20">
  <edge id=":J_0" function="internal">
    <lane id=":J_0_0" index="0" length="10.00" shape="100.00,-1.60 110.00,-1.60"/></edge>
  <edge id=":J_w0" function="walkingarea">
    <lane id=":J_w0_0" index="0" allow="pedestrian" length="1" shape="0,0 1,1 2,0"/></edge>
  <edge id="in" from="A" to="J">
    <lane id="in_0" index="0" allow="bicycle" length="100.00" shape="0.00,-4.80 100.00,-4.80"/>
    <lane id="in_1" index="1" length="100.00" shape="0.00,-1.60 100.00,-1.60"/>
  </edge>
  <edge id="back" from="J" to="A"><lane id="back_0" index="0" length="100.00" shape="100.00,1.60 0.00,1.60"/></edge>
  <edge id="out" from="J" to="B"><lane id="out_0" index="0" length="90.00" shape="110.00,-1.60 200.00,-1.60"/></edge>
  <connection from="in" to="out" fromLane="1" toLane="0" via=":J_0_0" dir="s" state="M"/>
  <connection from=":J_0" to="out" fromLane="0" toLane="0" dir="s" state="M"/>
</net>
"""
TYPES = '<additional><vType id="lorry" vClass="truck" length="12" width="2.5"/></additional>'


def run():
    lines = []
    for step in range(11):
        users = [
            f'<vehicle id="a" x="{95 + step}" y="-1.60" angle="90.00" type="car" speed="10" lane="in_1"/>',
            f'<vehicle id="b" x="{50 - step}" y="1.60" angle="270.00" type="lorry" speed="10" lane="back_0"/>',
            f'<vehicle id="c" x="{20 + step / 2}" y="-4.7" angle="90.00" type="DEFAULT_BIKETYPE" speed="5"/>',
            '<person id="p" x="30.0" y="-12" angle="0.00" speed="0.00" pos="3" edge="in"/>',
        ]
        lines.append(f'<timestep time="{step / 10:.2f}">{"".join(users)}</timestep>')
    return f'<fcd-export version="1.20">{"".join(lines)}</fcd-export>'


RUN = run()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "town.net.xml").write_text(NETWORK)
    (tmp_path / "types.add.xml").write_text(TYPES)
    (tmp_path / "one.fcd.xml").write_text(RUN)
    return tmp_path


def test_a_run_becomes_the_two_tables(folder):
    read = check(read_sumo(folder, "sumo"), 3.0)
    first = read.tracks[read.tracks["time_s"] == 0.0].set_index("actor")
    assert first["lane"].to_dict() == {"a": "in_1", "b": "back_0", "c": "in_0", "p": "in_0"}
    assert first["type"].to_dict() == {"a": "vehicle", "b": "vehicle", "c": "cyclist", "p": "pedestrian"}
    assert first["place"].to_dict() == {"a": "lane", "b": "lane", "c": "lane", "p": "off_lane"}
    assert first["length_m"].to_dict()["b"] == 12.0
    assert set(read.tracks["scene"]) == {"sumo/one.fcd"}


def test_positions_are_moved_from_the_front_to_the_centre_and_angles_from_the_compass(folder):
    first = read_sumo(folder, "sumo").tracks.set_index(["time_s", "actor"]).loc[0.0]
    assert first.loc["a", ["x_m", "y_m", "heading_rad"]].astype(float).tolist() == pytest.approx([92.5, -1.6, 0.0])
    assert first.loc["b", "x_m"] == pytest.approx(56.0)
    assert np.cos(first.loc["b", "heading_rad"]) == pytest.approx(-1.0)


def test_lanes_lead_through_the_junction_and_have_neighbours_and_opposites(folder):
    lanes = read_sumo(folder, "sumo").lanes.set_index("lane")
    assert set(lanes.index) == {":J_0_0", "in_0", "in_1", "back_0", "out_0"}
    assert lanes.loc["in_1", ["following", "neighbour", "opposite"]].tolist() == [[":J_0_0"], ["in_0"], ["back_0"]]
    assert lanes.loc[":J_0_0", "following"] == ["out_0"]
    assert lanes.loc["in_0", "opposite"] == []
    assert lanes["is_intersection"].to_dict()[":J_0_0"]


def test_the_network_of_a_town_is_linked_at_once(folder):
    """Two thousand edges: what is compared of each with each other one would take hours."""
    edges = "".join(
        f'<edge id="{name}{street}" from="{start}{street}" to="{end}{street}"><lane id="{name}{street}_0" index="0" '
        f'shape="0,{y} 100,{y}"/></edge>'
        for street in range(1000)
        for name, start, end, y in (("to", "P", "Q", 10 * street + 20), ("fro", "Q", "P", 10 * street + 24))
    )
    (folder / "town.net.xml").write_text(NETWORK.replace("</net>", f"{edges}</net>"))
    lanes = read_sumo(folder, "sumo").lanes.set_index("lane")
    assert [lanes.loc[f"to{street}_0", "opposite"] for street in (0, 999)] == [["fro0_0"], ["fro999_0"]]
    assert lanes.loc["in_1", "opposite"] == ["back_0"]


def test_a_drive_through_the_junction_follows_the_lanes(folder):
    tracks = read_sumo(folder, "sumo").tracks
    assert tracks.loc[tracks["actor"] == "a", "lane"].tolist() == ["in_1"] * 8 + [":J_0_0"] * 3


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("one.fcd.xml", 'x="30.0"', 'x="left"', "not a number"),
        ("one.fcd.xml", 'x="30.0"', "", "not a number"),
        ("one.fcd.xml", 'time="0.00"', "", "not a number"),
        ("one.fcd.xml", 'id="p"', "", "has no id"),
        ("one.fcd.xml", "</fcd-export>", "", "cannot be read as XML"),
        ("town.net.xml", "<net version", "<!DOCTYPE net [<!ENTITY a 'b'>]><net version", "document type"),
        ("town.net.xml", 'id="in_1"', 'id="in_0"', "two lanes have the id"),
        ("town.net.xml", "0.00,-1.60 100.00,-1.60", "0.00", "no shape"),
    ],
)
def test_a_fault_is_named(folder, file, old, new, message):
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    with pytest.raises(SourceError, match=message):
        read_sumo(folder, "sumo")


def test_a_folder_needs_one_network_and_a_run(folder):
    (folder / "one.fcd.xml").unlink()
    with pytest.raises(SourceError, match="--fcd-output"):
        read_sumo(folder, "sumo")
    (folder / "two.net.xml").write_text(NETWORK)
    with pytest.raises(SourceError, match=r"has 2 \*.net.xml"):
        read_sumo(folder, "sumo")


@settings(max_examples=60, deadline=None)
@given(
    place=st.floats(0, 1), cut=st.integers(0, 60),
    name=st.sampled_from(["town.net.xml", "one.fcd.xml", "types.add.xml"]),
    put=st.sampled_from([b"", b"<", b'"', b"nan", b"-1", b"\xff", b">"]),
)  # fmt: skip
def test_damaged_bytes_give_tables_or_a_source_error(tmp_path_factory, place, cut, name, put):
    folder = tmp_path_factory.mktemp("damaged")
    for file, text in (("town.net.xml", NETWORK), ("types.add.xml", TYPES), ("one.fcd.xml", RUN)):
        whole = text.encode()
        at = int(place * len(whole))
        (folder / file).write_bytes(whole[:at] + put + whole[at + cut :] if file == name else whole)
    try:
        read = check(read_sumo(folder, "a"), 3.0)
    except SourceError as error:
        message = str(error)
    else:
        message = ""
        assert len(read.tracks)
    assert "\n" not in message
