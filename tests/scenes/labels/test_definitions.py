import contextlib

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from terrarium.scenes.labels.definitions import (
    Definition,
    former_names,
    read_definitions,
    require_distinct,
)
from terrarium.sources.errors import SourceError


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "own.yml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_project_has_twenty_four_archetypes_eighteen_of_them_exact():
    archetypes = read_definitions(None, "archetypes")
    assert len(archetypes) == 24
    assert sum(given.exact for given in archetypes.values()) == 18
    assert len({given.definition for given in archetypes.values()}) >= 20
    require_distinct(archetypes, read_definitions(None, "tags"))


def test_a_pattern_of_a_fork_is_called_so_and_its_former_name_leads_to_it():
    assert former_names(read_definitions(None, "archetypes"))["cut_in"] == "fork_lane_change"


def test_own_labels_are_read(file):
    path = file(
        "tailgater:\n  definition: A motorcycle follows closely.\n  relations: [a > b]\n"
        "  types: {a: motorcycle}\n  exact: false\n  criticality: {time_headway_s: [0, 0.8]}\n"
    )
    given = read_definitions(path, "tags")["tailgater"]
    assert given.road_users == ["a", "b"]
    assert given.criticality == {"time_headway_s": [0.0, 0.8]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a mapping"),
        ("- a", "is not a mapping"),
        ("a: [", "is not YAML"),
        ("a: 1", "a: "),
        ("a: {definition: x}", "neither road users nor criticality"),
        ("a: {definition: x, relations: [a>>b]}", "a.relations.0"),
        ("a: {definition: x, relations: [a>a]}", "to itself"),
        ("a: {definition: x, relations: [a>b], lane_change: [c]}", "no relation has the road user c"),
        ("a: {definition: x, relations: [a>b], types: {b: tram}}", "a.types.b"),
        ("a: {definition: x, criticality: {speed: [0, 1]}}", "a.criticality.speed"),
        ("a: {definition: x, criticality: {time_headway_s: [2, 1]}}", "larger number first"),
        ("a: {definition: x, relation: [a>b]}", "a.relation"),
        ("a b: {definition: x, relations: [a>b]}", "use letters"),
    ],
)
def test_a_fault_is_named_with_its_place(file, text, message):
    with pytest.raises(SourceError) as raised:
        read_definitions(file(text), "tags")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_missing_or_clashes_is_named(tmp_path):
    with pytest.raises(SourceError, match="cannot be read"):
        read_definitions(tmp_path / "none.yml", "tags")
    one = {"twice": Definition(definition="x", relations=["a>b"])}
    with pytest.raises(SourceError, match="'twice' is an archetype and a tag"):
        require_distinct(one, one)


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: yaml.safe_dump({text: text}).encode()))
def test_any_bytes_are_labels_or_a_source_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("labels") / "own.yml"
    path.write_bytes(content)
    with contextlib.suppress(SourceError):
        assert read_definitions(path, "archetypes")
