import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrarium.sources.errors import SourceError
from terrarium.sources.traffic.checks import check
from terrarium.sources.traffic.formats.commonroad import read_commonroad


def point(x, y):
    return f"<point><x>{x}</x><y>{y}</y></point>"


def lanelet(number, start, end, y, links=""):
    left, right = ("".join(point(x, y + side * np.sign(end - start)) for x in (start, end)) for side in (2, -2))
    return (
        f'<lanelet id="{number}"><leftBound>{left}</leftBound><rightBound>{right}</rightBound>{links}'
        "<laneletType>urban</laneletType></lanelet>"
    )


def state(tag, step, x, y, heading=0.0, velocity=None):
    speed = "" if velocity is None else f"<velocity><exact>{velocity}</exact></velocity>"
    return (
        f"<{tag}><position>{point(x, y)}</position><orientation><exact>{heading}</exact></orientation>"
        f"<time><exact>{step}</exact></time>{speed}</{tag}>"
    )


def moving(number, kind, x, y, velocity, shape="<rectangle><length>4.5</length><width>1.8</width></rectangle>"):
    heading = 0.0 if velocity > 0 else np.pi
    states = "".join(state("state", step, x + velocity * step / 10, y, heading, abs(velocity)) for step in range(1, 21))
    first = state("initialState", 0, x, y, heading, abs(velocity))
    return (
        f'<dynamicObstacle id="{number}"><type>{kind}</type><shape>{shape}</shape>{first}'
        f"<trajectory>{states}</trajectory></dynamicObstacle>"
    )


SCENARIO = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<commonRoad benchmarkID="DEU_Test-1_1_T-1" commonRoadVersion="2020a" timeStepSize="0.1">'
    + lanelet(1, 0, 60, 0, '<successor ref="4"/><adjacentLeft ref="3" drivingDir="opposite"/>'
              '<adjacentRight ref="2" drivingDir="same"/>')
    + lanelet(2, 0, 60, -4, '<adjacentLeft ref="1" drivingDir="same"/>')
    + lanelet(3, 60, 0, 4)
    + lanelet(4, 60, 90, 0, '<predecessor ref="1"/>')
    + '<intersection id="9"><incoming id="10"><incomingLanelet ref="1"/><successorsStraight ref="4"/></incoming>'
    "</intersection>"
    + moving(101, "car", 10, 0.2, 10) + moving(102, "bicycle", 30, -4, 5) + moving(103, "truck", 50, 4, -10)
    + moving(104, "pedestrian", 20, 30, 1, "<circle><radius>0.4</radius></circle>")
    + '<staticObstacle id="105"><type>parkedVehicle</type><shape><rectangle><length>4</length><width>2</width>'
    "</rectangle></shape>" + state("initialState", 0, 40, -6.2) + "</staticObstacle>"
    "<planningProblem id='7'/></commonRoad>"
)  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "one.xml").write_text(SCENARIO, encoding="utf-8")
    return tmp_path


def test_a_scenario_becomes_the_two_tables(folder):
    read = check(read_commonroad(folder, "rounD"), 3.0)
    first = read.tracks[read.tracks["time_s"] == 0.0].set_index("actor")
    assert first["lane"].to_dict() == {"101": "1", "102": "2", "103": "3", "104": "3", "105": "2"}
    assert first["type"].tolist() == ["vehicle", "cyclist", "vehicle", "pedestrian", "vehicle"]
    assert first["place"].tolist() == ["lane", "lane", "lane", "off_lane", "parked"]
    assert first["s_m"].to_numpy()[:3] == pytest.approx([10.0, 30.0, 10.0])
    assert first.loc["104", ["length_m", "width_m"]].tolist() == [0.8, 0.8]
    assert set(read.tracks["scene"]) == {"rounD/one"}
    assert read.tracks.groupby("actor")["time_s"].max().eq(2.0).all()


def test_scenarios_that_share_an_id_are_scenes_of_their_own(folder):
    """Converters give all their files one benchmarkID, and folders hold files of one name."""
    (folder / "two.xml").write_text(SCENARIO, encoding="utf-8")
    assert set(read_commonroad(folder, "a").tracks["scene"]) == {"a/one", "a/two"}
    (folder / "more").mkdir()
    (folder / "more" / "two.xml").write_text(SCENARIO, encoding="utf-8")
    scenes = set(read_commonroad(folder, "a").tracks["scene"])
    assert scenes == {"a/one.xml", "a/two.xml", "a/more/two.xml"}


def test_lanes_have_their_links_and_junctions(folder):
    lanes = read_commonroad(folder, "a").lanes.set_index("lane")
    assert lanes.loc["1", ["following", "neighbour", "opposite"]].tolist() == [["4"], ["2"], ["3"]]
    assert lanes["is_intersection"].to_dict() == {"1": False, "2": False, "3": False, "4": True}
    assert lanes["length_m"].tolist() == [60.0, 60.0, 60.0, 30.0]


def test_a_speed_that_is_left_out_comes_from_the_positions(folder):
    text = SCENARIO.replace("<velocity><exact>10</exact></velocity>", "")
    (folder / "one.xml").write_text(text, encoding="utf-8")
    tracks = read_commonroad(folder, "a").tracks
    assert tracks.loc[tracks["actor"] == "101", "speed_mps"].to_numpy() == pytest.approx(10.0)


def test_lanelets_that_a_goal_or_a_sign_refers_to_are_no_lanes(folder):
    goal = "<planningProblem id='7'><goalState><position><lanelet ref='4'/></position></goalState></planningProblem>"
    plain = read_commonroad(folder, "a").lanes
    (folder / "one.xml").write_text(SCENARIO.replace("<planningProblem id='7'/>", goal), encoding="utf-8")
    assert read_commonroad(folder, "a").lanes.equals(plain)


def test_an_initial_state_that_the_trajectory_repeats_counts_once(folder):
    plain = read_commonroad(folder, "a").tracks
    first = state("state", 0, 10, 0.2, 0.0, 10)
    (folder / "one.xml").write_text(SCENARIO.replace("<trajectory>", f"<trajectory>{first}", 1), encoding="utf-8")
    assert read_commonroad(folder, "a").tracks.equals(plain)


def test_a_dynamic_obstacle_without_a_trajectory_is_there_at_its_step_alone(folder):
    alone = (
        '<dynamicObstacle id="106"><type>car</type><shape><circle><radius>1</radius></circle></shape>'
        + state("initialState", 3, 20, 0, 0.0, 14) + "</dynamicObstacle>"
    )  # fmt: skip
    (folder / "one.xml").write_text(SCENARIO.replace("<planningProblem", f"{alone}<planningProblem"), encoding="utf-8")
    tracks = check(read_commonroad(folder, "a"), 3.0).tracks
    assert tracks.loc[tracks["actor"] == "106", "time_s"].tolist() == pytest.approx([0.3])
    assert tracks.loc[tracks["actor"] == "105", "speed_mps"].eq(0.0).all()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<commonRoad", "<!DOCTYPE x><commonRoad", "document type"),
        ("</commonRoad>", "", "cannot be read as XML"),
        ('timeStepSize="0.1"', 'timeStepSize="0"', "timeStepSize"),
        ("<type>car</type>", "<type>ufo</type>", "type 'ufo' is unknown"),
        ("<x>10</x>", "<x>ten</x>", "not a number"),
        ('<lanelet id="2">', '<lanelet id="1">', "there twice"),
        ("<time><exact>3</exact></time>", "<time><exact>4</exact></time>", "two states at step"),
        ("dynamicObstacle", "planningProblem", "no dynamic obstacle"),
    ],
)
def test_a_fault_is_named(folder, old, new, message):
    assert old in SCENARIO
    (folder / "one.xml").write_text(SCENARIO.replace(old, new), encoding="utf-8")
    with pytest.raises(SourceError, match=message):
        read_commonroad(folder, "a")


def test_a_folder_without_scenarios_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"has no \*.xml"):
        read_commonroad(tmp_path, "a")


@settings(max_examples=60, deadline=None)
@given(
    place=st.floats(0, 1), cut=st.integers(0, 60), put=st.sampled_from([b"", b"<", b'"', b"nan", b"-1", b"\xff", b">"])
)
def test_damaged_bytes_give_tables_or_a_source_error(tmp_path_factory, place, cut, put):
    folder, whole = tmp_path_factory.mktemp("damaged"), SCENARIO.encode()
    at = int(place * len(whole))
    (folder / "one.xml").write_bytes(whole[:at] + put + whole[at + cut :])
    try:
        read = check(read_commonroad(folder, "a"), 3.0)
    except SourceError as error:
        message = str(error)
    else:
        message = ""
        assert len(read.tracks)
    assert "\n" not in message
